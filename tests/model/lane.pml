/* How calls wait for a lane: core/lane/ticket.cpp, as a Promela model (https://spinroot.com).
 *
 *     tests/model/run        checks the model, and that each fault below is found
 *
 * Shown for CALLS calls in SLOTS slots, of which any may be killed, parked (for a while or for
 * ever), told to leave or become a service, while an administrator moves tickets forward and back
 * and puts the lane on hold:
 *   - never two holders;
 *   - the ticket that is granted is the best of the living tickets that wait, by priority, then by
 *     arrival, and one overtaken CAP times goes first;
 *   - no wake-up is lost: a state in which a call sleeps and no process can go on is an invalid
 *     end state;
 *   - no call turns in circles: with NP a cycle without a run is an error.
 *
 * One slot byte is `alive`; the rest of a slot's range, from the ticket's own byte on, is `range`.
 * A ticket that sleeps on byte Q of a slot is woken unless a range there starts at or before Q.
 */
#ifndef CALLS
#define CALLS 3
#endif
#ifndef SLOTS
#define SLOTS 3
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef PARKS
#define PARKS 1
#endif
#ifndef MOVES
#define MOVES 1
#endif
#ifndef CAP
#define CAP 1
#endif
#define NONE 255
#define LANE 254 /* as a target: the lane's own byte */
#define BELL 253 /* as a target: nothing but a ring */

mtype = { FREE, WAITING, PARKED, GRANTED, RUNNING, SERVICE, CANCELLED };

typedef Slot {
  mtype state = FREE;
  byte sequence;
  byte prio;
  byte overtaken;
  bool alive; /* the slot byte is locked */
  bool range; /* the range from `owner`'s byte is locked */
  byte owner; /* sequence of the ticket that has locked it */
  byte call;
}
Slot slot[SLOTS];
bool gate;
bool held;
byte lane = NONE; /* the call that has locked the lane byte */
byte next_sequence = 1;
bool bell[CALLS]; /* a ring that has not been read */
byte holders;     /* runs at this moment */
byte kills = KILLS;
byte parks = PARKS;
hidden byte i_; /* of the inline loops, in atomic steps only */
hidden byte best_;

#define RANK_LESS(a, b)                                                                      \
  ((slot[a].overtaken >= CAP && slot[b].overtaken < CAP) ||                                  \
   ((slot[a].overtaken >= CAP) == (slot[b].overtaken >= CAP) &&                              \
    ((slot[a].overtaken < CAP && slot[a].prio > slot[b].prio) ||                     \
     ((slot[a].overtaken >= CAP || slot[a].prio == slot[b].prio) &&                  \
      slot[a].sequence < slot[b].sequence))))
#define IS_FREED(s, q) (!(slot[s].range && slot[s].owner <= (q)))

inline ring() {
  for (i_ : 0 .. CALLS - 1) {
    bell[i_] = true;
  }
}

/* current_slot(): best_ is the slot of the current ticket, NONE without one. */
inline find_current() {
  best_ = NONE;
  for (i_ : 0 .. SLOTS - 1) {
    if
    :: slot[i_].state == GRANTED || slot[i_].state == RUNNING -> best_ = i_
    :: else
    fi
  }
}

/* grant_next(), with the gate. */
inline grant() {
  find_current();
  if
  :: best_ != NONE && !slot[best_].alive -> slot[best_].state = FREE; best_ = NONE
  :: else
  fi;
  if
  :: best_ == NONE ->
    for (i_ : 0 .. SLOTS - 1) { /* dead ones on the way are cleared */
      if
      :: slot[i_].state == WAITING && !slot[i_].alive -> slot[i_].state = FREE
      :: slot[i_].state == WAITING && slot[i_].alive &&
         (best_ == NONE || RANK_LESS(i_, best_)) -> best_ = i_
      :: else
      fi
    }
    if
    :: best_ != NONE ->
      slot[best_].state = GRANTED;
      for (i_ : 0 .. SLOTS - 1) {
        if
        :: slot[i_].state == WAITING && slot[i_].sequence < slot[best_].sequence &&
           slot[i_].overtaken < CAP ->
          slot[i_].overtaken++;
          assert(slot[i_].prio < slot[best_].prio || !slot[i_].alive || slot[best_].overtaken >= CAP);
          if
          :: slot[i_].overtaken == CAP ->
#ifndef FAULT_NO_RING_AT_CAP
            bell[0] = true; bell[1] = true; bell[CALLS - 1] = true
#else
            skip
#endif
          :: else
          fi
        :: else
        fi
      }
    :: else
    fi
  :: else
  fi
}

/* predecessor_of(): best_ is the slot before `s`, NONE for the first. */
inline find_predecessor(s) {
  best_ = NONE;
  for (i_ : 0 .. SLOTS - 1) {
    if
    :: slot[i_].state == WAITING && i_ != s && RANK_LESS(i_, s) &&
       (best_ == NONE || RANK_LESS(best_, i_)) -> best_ = i_
    :: else
    fi
  }
}

inline enter() { atomic { !gate -> gate = true } }

inline free_bytes(s, id) {
  slot[s].alive = false;
  slot[s].range = false;
  if
  :: lane == id -> lane = NONE
  :: else
  fi
}

proctype Call(byte id; byte prio) {
  byte s = NONE;
  byte target;
  byte target_sequence;
  bool must_enter;
  bool was_granted;
  bool was_full;

  /* Takes a place. While all slots are taken a call looks again and again; services and parked calls
   * may keep them for ever. */
end_full:
  atomic {
    !gate && (!slot[0].alive || !slot[SLOTS - 1].alive || !slot[1].alive) -> gate = true;
    for (i_ : 0 .. SLOTS - 1) {
      if
      :: s == NONE && !slot[i_].alive -> s = i_
      :: else
      fi
    }
    slot[s].alive = true;
    slot[s].range = true;
    slot[s].owner = next_sequence;
    slot[s].sequence = next_sequence;
    slot[s].prio = prio;
    slot[s].overtaken = 0;
    slot[s].call = id;
    slot[s].state = WAITING;
    next_sequence++;
    grant();
    gate = false
  }
#ifndef FAULT_LATE_WATCH
  bell[id] = false; /* the watch starts here: rings from now on are heard */
#endif

wait:
  do
  :: /* look() without the gate */
    atomic {
      must_enter = false;
      target = BELL;
      if
      :: slot[s].state == CANCELLED -> goto leave
      :: slot[s].state == GRANTED && held -> skip
      :: slot[s].state == GRANTED && !held -> must_enter = true
      :: slot[s].state == WAITING ->
        find_current();
        if
        :: best_ == NONE -> must_enter = true
        :: else ->
          target = best_;
          find_predecessor(s);
          target = (best_ == NONE -> target : best_);
          must_enter = !slot[target].alive;
          target_sequence = slot[target].sequence
        fi
      fi
    }
    if
    :: must_enter -> /* advance_inside() */
      enter();
      atomic {
        if
        :: slot[s].state == CANCELLED -> gate = false; goto leave
        :: else
        fi;
        grant();
        if
        :: slot[s].state == GRANTED && held -> target = BELL
        :: slot[s].state == GRANTED && !held && lane == NONE ->
          lane = id;
          slot[s].state = RUNNING;
          gate = false;
          goto has_lane
        :: slot[s].state == GRANTED && !held && lane != NONE -> target = LANE
        :: else ->
          find_current();
          target = best_;
          find_predecessor(s);
          do
          :: best_ != NONE && !slot[best_].alive -> slot[best_].state = FREE; find_predecessor(s)
          :: else -> break
          od;
          target = (best_ == NONE -> target : best_);
          target_sequence = (target == NONE -> 0 : slot[target].sequence)
        fi;
        gate = false
      }
    :: else
    fi;
#ifdef FAULT_LATE_WATCH
    bell[id] = false;
#endif
    /* From here to the sleep, and in it, all others may go on. */
    if
    :: atomic { bell[id] -> bell[id] = false }
    :: target == LANE && lane == NONE
    :: target < SLOTS && target != NONE &&
#ifndef FAULT_SLOT_BYTES
       IS_FREED(target, target_sequence)
#else
       !slot[target].range
#endif
    :: atomic { parks > 0 -> parks-- }; goto park
    :: atomic { kills > 0 -> kills-- }; goto die
    fi
  od;

park:
  enter();
  atomic {
    if
    :: slot[s].state == CANCELLED -> gate = false; goto leave
    :: else
    fi;
    was_granted = (slot[s].state == GRANTED);
    slot[s].state = PARKED;
    if
    :: was_granted -> grant()
    :: else
    fi;
#ifndef FAULT_PARK_KEEPS_BYTE
    slot[s].range = false;
#endif
    gate = false
  }
end_parked:
  if
  :: true -> skip
  :: true ->
end_for_ever:
    false
  fi;
  enter();
  atomic {
    if
    :: slot[s].state == PARKED ->
      slot[s].range = true;
      slot[s].state = WAITING;
#ifndef FAULT_NO_RING_AT_UNPARK
      ring()
#endif
    :: else
    fi;
    gate = false
  }
  goto wait;

leave: /* also where a call ends that was cancelled */
  enter();
  atomic {
    was_full = true;
    for (i_ : 0 .. SLOTS - 1) {
      was_full = was_full && slot[i_].state != FREE
    }
    slot[s].state = FREE;
    grant();
    gate = false
  }
  atomic {
    free_bytes(s, id);
    if
    :: was_full -> ring()
    :: else
    fi
  }
  goto done;

has_lane:
  holders++;
progress_run:
  assert(holders == 1);
  holders--;
  if
  :: true
  :: atomic { kills > 0 -> kills-- }; goto die
  :: true -> goto service
  fi;
  enter(); /* close_record() */
  slot[s].state = FREE;
  if
  :: true
  :: atomic { kills > 0 -> kills--; gate = false }; goto die
  fi;
  atomic {
    grant();
    gate = false
  }
  atomic { free_bytes(s, id) }
  goto done;

service: /* become_service() */
  enter();
  atomic {
    slot[s].state = SERVICE;
    lane = NONE;
    grant();
    slot[s].range = false;
    ring();
    gate = false
  }
  goto done; /* it lives on */

die:
  atomic { free_bytes(s, id) }
done:
  skip
}

/* bump, set_priority, cancel and hold, each with the gate and a ring. */
proctype Administrator() {
  byte moves = MOVES;
  byte which;
  do
  :: moves > 0 ->
    moves--;
    if
    :: which = 0
    :: which = 1
    :: which = SLOTS - 1
    fi;
    enter();
    atomic {
      if
      :: slot[which].state == WAITING || slot[which].state == PARKED ->
        if
        :: slot[which].prio = 9
        :: slot[which].prio = 0
        fi
      :: slot[which].state == WAITING || slot[which].state == PARKED ||
         slot[which].state == GRANTED -> slot[which].state = CANCELLED
      :: true -> held = true
      fi;
#ifndef FAULT_NO_RING_AFTER_MOVE
      ring();
#endif
      gate = false
    }
  :: moves == 0 -> break
  od;
  enter();
  atomic {
    if
    :: held -> held = false; ring()
    :: else
    fi;
    gate = false
  }
}

init {
  atomic {
    for (i_ : 0 .. CALLS - 1) {
      run Call(i_, (i_ >= CALLS - 2 -> 2 : 1)) /* two of them overtake the others */
    }
    run Administrator()
  }
}
