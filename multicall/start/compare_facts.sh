#!/bin/sh
# compare_facts.sh PLAIN QUICK: whether facts.cpp prints the same under the C library's start, under
# ours, and under the C library's start in an executable with ours, which GLIBC_TUNABLES asks for.
set -u
unset GLIBC_TUNABLES
plain=$("$1") || exit 1
quick=$("$2") || exit 1
fallback=$(GLIBC_TUNABLES=glibc.malloc.check=0 "$2") || exit 1
[ "$plain" = "$quick" ] && [ "$plain" = "$fallback" ] && exit 0
printf 'the C library:\n%s\nquick:\n%s\nasked for by GLIBC_TUNABLES:\n%s\n' \
  "$plain" "$quick" "$fallback"
exit 1
