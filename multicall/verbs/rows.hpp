#pragma once

#include "multicall/cli/command.hpp"

// The rows of the verbs, each defined at the end of its file; table.cpp puts them together.
namespace onelane::multicall::verbs {

extern const Command bump;
extern const Command cancel;
extern const Command ci;
extern const Command ci_finish;
extern const Command ci_path;
extern const Command ci_path_alias;
extern const Command ci_verify;
extern const Command complete;
extern const Command completion;
extern const Command doctor;
extern const Command explain;
extern const Command help;
extern const Command hold;
extern const Command init;
extern const Command logs;
extern const Command man;
extern const Command monitor;
extern const Command orphans;
extern const Command queue;
extern const Command queue_add;
extern const Command queue_clear;
extern const Command queue_close;
extern const Command queue_edit;
extern const Command queue_move;
extern const Command queue_pause;
extern const Command queue_remove;
extern const Command queue_reopen;
extern const Command queue_resume;
extern const Command queue_start;
extern const Command queue_status;
extern const Command queue_stop;
extern const Command release;
extern const Command report;
extern const Command run;
extern const Command runs;
extern const Command runs_list;
extern const Command runs_view;
extern const Command runs_watch;
extern const Command settings;
extern const Command stats;
extern const Command status;
extern const Command steal;
extern const Command stop;
extern const Command trust;
extern const Command uninit;
extern const Command wait;
extern const Command which;

}  // namespace onelane::multicall::verbs
