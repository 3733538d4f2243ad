// The cheapest shim there can be: what every pass-through call is measured against.
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
