// Prints what a program can see of how it was started. The configure check and the test `start` run
// it under both starts, and compare. It must print the same each time: facts, not values.
#include <errno.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/single_threaded.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

thread_local int initialised = 42;
thread_local int zeroed;
int constructed = 0;
std::string order;

[[gnu::constructor]] void construct(int argc, char** argv, char** environment) {
  constructed = argc == 1 && argv[argc] == nullptr && environment == argv + argc + 1 ? 1 : 0;
}

void say(const char* fact, long value) {
  std::printf("%s %ld\n", fact, value);
}

[[gnu::noinline]] int caught(int depth) {
  try {
    if (depth == 0) {
      throw std::runtime_error{"thrown"};
    }
    return caught(depth - 1);
  } catch (const std::runtime_error& error) {
    return std::strcmp(error.what(), "thrown") == 0 ? 1 : 0;
  }
}

/// An exception that is kept, and thrown again twice.
int rethrown() {
  int times = 0;
  const std::exception_ptr kept = [] {
    try {
      throw std::runtime_error{"kept"};
    } catch (...) {
      return std::current_exception();
    }
  }();
  for (int i = 0; i < 2; ++i) {
    try {
      std::rethrow_exception(kept);
    } catch (const std::exception& error) {
      times += std::strcmp(error.what(), "kept") == 0 ? 1 : 0;
    }
  }
  return times;
}

/// An exception without memory: as much as may be taken is taken first.
int thrown_without_memory() {
  std::vector<void*> taken;
  taken.reserve(1U << 16U);
  const rlimit none{0, RLIM_INFINITY};
  ::setrlimit(RLIMIT_AS, &none);
  for (std::size_t size = 1U << 20U; size >= 16; size /= 2) {
    while (taken.size() < taken.capacity()) {
      void* piece = std::malloc(size);
      if (piece == nullptr) {
        break;
      }
      taken.push_back(piece);
    }
  }
  int result = 0;
  try {
    throw 5;
  } catch (int value) {
    result = value;
  }
  std::ranges::for_each(taken, &std::free);
  const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
  ::setrlimit(RLIMIT_AS, &all);
  return result;
}

std::uintptr_t thread_word(int offset) {
  std::uintptr_t word = 0;
#if defined(__x86_64__)
  asm volatile("mov %%fs:(%1), %0" : "=r"(word) : "r"(static_cast<std::intptr_t>(offset)));
#else
  (void)offset;
#endif
  return word;
}

/// Compares the C library's functions with plain loops, at each alignment and around the sizes at
/// which they change their way.
long wrong_copies() {
  long wrong = 0;
  std::vector<char> from(std::size_t{6} << 20U);
  for (std::size_t i = 0; i < from.size(); ++i) {
    from[i] = static_cast<char>(i % 251 + 1);
  }
  std::vector<char> to(from.size());
  for (const std::size_t size : {0UL, 1UL, 15UL, 64UL, 129UL, 4097UL, 800'000UL, 5'000'000UL}) {
    for (const std::size_t shift : {0UL, 1UL, 7UL, 33UL}) {
      std::memcpy(to.data() + shift, from.data() + shift / 2, size);
      for (std::size_t i = 0; i < size; ++i) {
        wrong += to[shift + i] != from[shift / 2 + i] ? 1 : 0;
      }
      std::memmove(to.data() + shift + 1, to.data() + shift, size);
      wrong += size > 0 && to[shift + size] != from[shift / 2 + size - 1] ? 1 : 0;
      to[shift + size] = '\0';
      std::memset(to.data() + shift, 'x', size);
      wrong += std::strlen(to.data() + shift) != size ? 1 : 0;
      wrong += std::memchr(to.data() + shift, 'y', size) != nullptr ? 1 : 0;
      wrong += std::strchr(to.data() + shift, '\0') != to.data() + shift + size ? 1 : 0;
      wrong += std::memcmp(to.data() + shift, to.data() + shift, size) != 0 ? 1 : 0;
    }
  }
  return wrong;
}

void say_threads() {
  say("single-threaded", __libc_single_threaded != 0 ? 1 : 0);
  std::atomic<long> seen{0};
  std::thread thread{[&] { seen = initialised + zeroed + caught(3) * 100; }};
  thread.join();
  say("thread", seen);
  pthread_attr_t attributes;
  ::pthread_getattr_np(::pthread_self(), &attributes);
  std::size_t size = 0;
  ::pthread_attr_getstacksize(&attributes, &size);
  say("stack", size > 1U << 20U ? 1 : 0);
  ::pthread_attr_destroy(&attributes);
}

void say_children() {
  int status = -1;
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(initialised == 42 && caught(1) == 1 ? 7 : 8);
  }
  ::waitpid(child, &status, 0);
  say("fork", WEXITSTATUS(status));
  say("shell", WEXITSTATUS(std::system("exit 9")));
}

}  // namespace

int main(int argc, char** argv) {
  std::atexit([] { std::printf("%s\n", order.c_str()); });
  std::atexit([] { order += "last first"; });
  say("argc", argc);
  say("argv", argv[0] != nullptr && argv[argc] == nullptr ? 1 : 0);
  say("environment", std::getenv("PATH") != nullptr && environ == argv + argc + 1 ? 1 : 0);
  say("constructor", constructed);
  say("name", program_invocation_name == argv[0] ? 1 : 0);
  say("page", static_cast<long>(::getauxval(AT_PAGESZ)) - ::sysconf(_SC_PAGESIZE));
  say("random", ::getauxval(AT_RANDOM) != 0 ? 1 : 0);
  say("secure", static_cast<long>(::getauxval(AT_SECURE)));
  say("processors", ::sysconf(_SC_NPROCESSORS_ONLN));
  say("signal stack", ::sysconf(_SC_MINSIGSTKSZ) >= 2048 ? 1 : 0);
  say("stack guard", thread_word(0x28) != 0 && (thread_word(0x28) & 0xff) == 0 ? 1 : 0);
  say("pointer guard", thread_word(0x30) != 0 ? 1 : 0);
  say("thread pointer", thread_word(0) == thread_word(0x10) ? 1 : 0);
  say("rseq", static_cast<long>(__rseq_size));
  say("thread-local", initialised + zeroed);
  say("exception", caught(5));
  say("exceptions thrown again", rethrown());
  say("exception without memory", thrown_without_memory());
  say("wrong copies", wrong_copies());
  say("locale", std::setlocale(LC_ALL, "C.UTF-8") != nullptr ? 1 : 0);
  std::printf("number %.3f %s\n", std::strtod("2.5e3", nullptr) / 7,
              ::getenv("HOME") ? "home" : "");
  say_threads();
  say_children();
}
