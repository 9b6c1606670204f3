// Restricts a process to a list of system calls; the kernel enforces it (seccomp).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

namespace mayfly {

// One call that stays possible, perhaps only with some values of one argument.
struct PermittedCall {
  enum class When {
    always,
    one_of,   // the argument is one of the values
    lacks,    // the argument has none of the value's bits
    not_all,  // the argument lacks at least one of the value's bits
    holds,    // the argument has all of the value's bits
    is_null,  // the argument is a null pointer
    missing,  // never, as in a kernel without it, so that libraries take their older way
  };
  long number;
  When when = When::always;
  unsigned argument = 0;  // counted from 0
  std::initializer_list<std::uint32_t> values = {};
};

// From now on all other calls fail with EPERM, in every thread and forked process, and programs
// that are started gain no privileges (PR_SET_NO_NEW_PRIVS). Returns 0 or errno; ENOSYS for an
// unknown processor.
int permit_only(std::span<const PermittedCall> calls) noexcept;

}  // namespace mayfly
