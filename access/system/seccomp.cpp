#include "access/system/seccomp.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <iterator>
#include <new>
#include <vector>

namespace mayfly {
namespace {

// libseccomp writes such programs too, but to load it and have it work costs 0.15 ms (measured) at
// every start; the kernel takes 0.1 ms for the program itself.
using Program = std::vector<sock_filter>;

#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::uint32_t architecture = AUDIT_ARCH_RISCV64;
#else
constexpr std::uint32_t architecture = 0;
#endif

constexpr std::uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;

sock_filter statement(unsigned code, std::uint32_t value) {
  return {static_cast<std::uint16_t>(code), 0, 0, value};
}

sock_filter answer(std::uint32_t action) {
  return statement(BPF_RET | BPF_K, action);
}

sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

// Goes on to the next instruction when the comparison holds, else jumps over `skipped` ones.
sock_filter unless(unsigned comparison, std::uint32_t value, std::size_t skipped) {
  return {static_cast<std::uint16_t>(BPF_JMP | BPF_K | comparison), 0,
          static_cast<std::uint8_t>(skipped), value};
}

sock_filter jump_if(unsigned comparison, std::uint32_t value, std::size_t skipped) {
  return {static_cast<std::uint16_t>(BPF_JMP | BPF_K | comparison),
          static_cast<std::uint8_t>(skipped), 0, value};
}

enum class Half { low, high };

std::size_t offset_of(unsigned argument, Half half) {
  const bool first = (std::endian::native == std::endian::little) == (half == Half::low);
  return offsetof(seccomp_data, args) + argument * sizeof(std::uint64_t) + (first ? 0 : 4);
}

// What is decided once the call's number has been recognised; ends with an answer on each way.
Program condition(const PermittedCall& call) {
  using When = PermittedCall::When;
  const sock_filter low = load(offset_of(call.argument, Half::low));
  const std::uint32_t value = call.values.size() > 0 ? *call.values.begin() : 0;
  const sock_filter allow = answer(SECCOMP_RET_ALLOW), deny = answer(refuse);
  switch (call.when) {
    case When::always:
      return {allow};
    case When::missing:
      return {answer(SECCOMP_RET_ERRNO | ENOSYS)};
    case When::lacks:
      return {low, unless(BPF_JSET, value, 1), deny, allow};
    case When::not_all:
      return {low, statement(BPF_ALU | BPF_AND | BPF_K, value), unless(BPF_JEQ, value, 1), deny,
              allow};
    case When::holds:
      return {low, statement(BPF_ALU | BPF_AND | BPF_K, value), unless(BPF_JEQ, value, 1), allow,
              deny};
    case When::is_null:
      return {low,
              unless(BPF_JEQ, 0, 3),
              load(offset_of(call.argument, Half::high)),
              unless(BPF_JEQ, 0, 1),
              allow,
              deny};
    case When::one_of:
      break;
  }
  Program steps{low};
  for (const std::uint32_t one : call.values)
    steps.insert(steps.end(), {unless(BPF_JEQ, one, 1), allow});
  steps.push_back(deny);
  return steps;
}

Program program_of(std::span<const PermittedCall> calls) {
  // The numbers mean other calls on other architectures, which the kernel may also take.
  Program program{load(offsetof(seccomp_data, arch)), jump_if(BPF_JEQ, architecture, 1),
                  answer(SECCOMP_RET_KILL_PROCESS), load(offsetof(seccomp_data, nr))};
  for (const PermittedCall& call : calls) {
    const Program steps = condition(call);
    program.push_back(unless(BPF_JEQ, static_cast<std::uint32_t>(call.number), steps.size()));
    std::ranges::copy(steps, std::back_inserter(program));  // in insert() g++ 14 sees an overflow
  }
  program.push_back(answer(refuse));
  return program;
}

}  // namespace

int permit_only(std::span<const PermittedCall> calls) noexcept try {
  if (architecture == 0) return ENOSYS;
  Program program = program_of(calls);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  const long done =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
  return done == 0 ? 0 : done > 0 ? EAGAIN : errno;  // positive: a thread that could not follow
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

}  // namespace mayfly
