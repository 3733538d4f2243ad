// Replaces the C library's start of a static executable, so that it does not ask for the
// processor's features: CMakeLists.txt says when it is linked, and what it relies on.
//
// glibc executes CPUID about forty times before main(), to choose among its string functions and
// for sysconf(3). In a virtual machine each one leaves the guest: 160 us, a third of a short call.
// Without features the C library uses the functions that every x86-64 processor has.
//
// Nothing here may call a function that is chosen at run time, or use the stack protector, before
// both have been set up: no builtins, no string functions (see the compile options).
#if defined(__x86_64__) && defined(__linux__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")  // else a loop becomes a memset()
#endif
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using Main = int(int argc, char** argv, char** environment);
using Initializer = void(int argc, char** argv, char** environment);
using Function = void();

// The names are the C library's.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

/// The C library's own start, renamed by CMakeLists.txt.
[[noreturn]] int onelane_plain_start(Main* main, int argc, char** argv, Function* init,
                                     Function* fini, Function* rtld_fini, void* stack_end);

// The steps of the C library's start, and what they read and set. None is for applications: the
// list that CMakeLists.txt compares makes sure that they are the ones we know.
extern void* __libc_stack_end;
extern void* _dl_random;
extern long __x86_shared_non_temporal_threshold;
extern long __x86_shared_cache_size;
extern long __x86_rep_movsb_stop_threshold;
void _dl_aux_init(ElfW(auxv_t) * auxiliary);
void __tunables_init(char** environment);
void _dl_relocate_static_pie();
void __libc_setup_tls();
void __libc_early_init(bool is_initial);
void __libc_init_first(int argc, char** argv, char** environment);
int __cxa_atexit(void (*function)(void*), void* argument, void* object);

// From the linker.
extern const ElfW(Rela) __rela_iplt_start[] __attribute__((weak, visibility("hidden")));
extern const ElfW(Rela) __rela_iplt_end[] __attribute__((weak, visibility("hidden")));
extern Initializer* const __preinit_array_start[] __attribute__((visibility("hidden")));
extern Initializer* const __preinit_array_end[] __attribute__((visibility("hidden")));
extern Initializer* const __init_array_start[] __attribute__((visibility("hidden")));
extern Initializer* const __init_array_end[] __attribute__((visibility("hidden")));
extern Function* const __fini_array_start[] __attribute__((visibility("hidden")));
extern Function* const __fini_array_end[] __attribute__((visibility("hidden")));
void _init();
void _fini();
}
// NOLINTEND(readability-identifier-naming)

/// The directory of the executable, for $ORIGIN in paths of dlopen(3), which nothing here uses: the
/// C library would read a link of /proc for it at each start. All bits set means "unknown".
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" const char* _dl_get_origin() {
  return reinterpret_cast<const char*>(~std::uintptr_t{0});
}

namespace {

/// True with GLIBC_TUNABLES, which may be about processor features, and in a program that runs with
/// the rights of another user, which needs every check of the C library's own start.
bool wants_plain_start(char** environment) noexcept {
  char** entry = environment;
  for (; *entry != nullptr; ++entry) {
    constexpr char kName[] = "GLIBC_TUNABLES=";
    std::size_t same = 0;
    while (same < sizeof kName - 1 && (*entry)[same] == kName[same]) {
      ++same;
    }
    if (same == sizeof kName - 1) {
      return true;
    }
  }
  for (const auto* at = reinterpret_cast<const ElfW(auxv_t)*>(entry + 1); at->a_type != AT_NULL;
       ++at) {
    if (at->a_type == AT_SECURE) {
      return at->a_un.a_val != 0;
    }
  }
  return true;
}

/// Lets each function that exists in several forms be chosen.
void choose_functions() noexcept {
  for (const ElfW(Rela)* entry = __rela_iplt_start; entry < __rela_iplt_end; ++entry) {
    const auto choose = reinterpret_cast<ElfW(Addr) (*)()>(entry->r_addend);
    *reinterpret_cast<ElfW(Addr)*>(entry->r_offset) = choose();
  }
}

/// Both values are random bytes from the kernel; the first byte of the guard is 0, so that no
/// string can overwrite it with itself. Their places are part of the ABI of x86-64.
void set_guards() noexcept {
  const auto* random = static_cast<const std::uintptr_t*>(_dl_random);
  const std::uintptr_t stack_guard = random[0] & ~std::uintptr_t{0xff};
  const std::uintptr_t pointer_guard = random[1];
  asm volatile("mov %0, %%fs:0x28" ::"r"(stack_guard));
  asm volatile("mov %0, %%fs:0x30" ::"r"(pointer_guard));
}

void run_initializers(int argc, char** argv, char** environment) {
  for (auto* const* at = __preinit_array_start; at < __preinit_array_end; ++at) {
    (*at)(argc, argv, environment);
  }
  _init();
  for (auto* const* at = __init_array_start; at < __init_array_end; ++at) {
    (*at)(argc, argv, environment);
  }
}

void run_finalizers(void* /*unused*/) {
  for (auto* const* at = __fini_array_end; at > __fini_array_start;) {
    (*--at)();
  }
  _fini();
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" [[noreturn]] int __libc_start_main(Main* main, int argc, char** argv, Function* init,
                                              Function* fini, Function* rtld_fini,
                                              void* stack_end) {
  char** const environment = argv + argc + 1;
  if (wants_plain_start(environment)) {
    onelane_plain_start(main, argc, argv, init, fini, rtld_fini, stack_end);
  }
  ::environ = environment;
  __libc_stack_end = stack_end;
  char** end = environment;
  while (*end != nullptr) {
    ++end;
  }
  _dl_aux_init(reinterpret_cast<ElfW(auxv_t)*>(end + 1));
  __tunables_init(environment);
  // Above this size copies go around the cache; the C library takes three quarters of its size.
  __x86_shared_non_temporal_threshold = __x86_shared_cache_size * 3 / 4;
  __x86_rep_movsb_stop_threshold = __x86_shared_non_temporal_threshold;
  _dl_relocate_static_pie();
  choose_functions();
  __libc_setup_tls();
  set_guards();
  if (rtld_fini != nullptr) {
    __cxa_atexit(reinterpret_cast<void (*)(void*)>(rtld_fini), nullptr, nullptr);
  }
  __libc_early_init(true);
  __libc_init_first(argc, argv, environment);
  __cxa_atexit(&run_finalizers, nullptr, nullptr);
  run_initializers(argc, argv, environment);
  std::exit(main(argc, argv, environment));
}
#endif
