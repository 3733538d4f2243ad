// The cheapest possible shim: every pass-through call is measured against it.
//
//   bench_execv_wrapper /path/to/tool ARG...
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 2) {
    return 64;
  }
  ::execv(argv[1], argv + 1);
  return 127;
}
