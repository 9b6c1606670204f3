#include "access/identity/login_turn.hpp"

#include "access/core/clock.hpp"

namespace mayfly {

std::optional<LoginLock> LoginTurn::wait(const std::string& file, Waiting waiting,
                                         const std::function<bool()>& satisfied) const {
  const auto& [state, send, prompt, options, logouts] = parts_;
  if (waiting == Waiting::person) {
    const PersonWaitedFor scope(prompt.waited);
    return wait_for_login_lock(state, file,
                               {.satisfied = satisfied,
                                .notice = prompt.other_login,
                                .waiting = prompt.waiting,
                                .timeout = options.transfer.patience});
  }
  const TimeLimit limit(options.machine_patience);
  bool is_person_at_it = false;
  return wait_for_login_lock(
      state, file,
      {.satisfied = [&] { return is_person_at_it || limit.is_over() || satisfied(); },
       .notice = [&](long, std::string_view shown) { is_person_at_it = !shown.empty(); }});
}

}  // namespace mayfly
