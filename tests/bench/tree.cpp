// A process tree at rest: COUNT processes, this one included, that do nothing until a signal ends
// this one; the others end with it.
//
//   bench_tree COUNT READY     makes the file READY once all are there
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 3) {
    return 64;
  }
  const int count = std::atoi(argv[1]);
  for (int i = 1; i < count; ++i) {
    const pid_t child = ::fork();
    if (child < 0) {
      return 1;
    }
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) {
        ::pause();
      }
    }
  }
  const int ready = ::open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (ready < 0) {
    return 1;
  }
  ::close(ready);
  for (;;) {
    ::pause();
  }
}
