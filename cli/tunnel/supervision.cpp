#include "cli/tunnel/supervision.hpp"

#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "access/core/error.hpp"
#include "access/listen/inherited_sockets.hpp"
#include "cli/tunnel/listening.hpp"
#include "cli/tunnel/pid_file.hpp"

namespace mayfly::cli {
namespace {

constexpr const char* any_free_port = "127.0.0.1:0";

// The program and the process of the listener have no business with the service manager.
void leave_service_manager_to(const char* event) {
  notify_service_manager(event);
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace

void bind_supervision(Parser& parser, SupervisionFlags& flags) {
  parser
      .add_option("--events", flags.events,
                  "tell a supervisor what happens, as JSON lines; - is stderr")
      .type_name("FILE");
  parser.add_flag("--exit-with-parent", flags.exit_with_parent,
                  "end the listener when the process that started it ends");
  parser.add_option("--pid-file", flags.pid_file, "the listener's process number while it runs")
      .type_name("FILE");
  parser.leave_words_behind_dashes(flags.program);
}

Supervision::Supervision(const SupervisionFlags& flags, std::vector<std::string>& listeners)
    : flags_(flags), parent_(flags.exit_with_parent ? ::getppid() : 0) {
  if (listeners.empty()) inherited_ = inherited_sockets();
  if (!flags.program.empty() && listeners.empty() && inherited_.empty())
    listeners = {any_free_port};
}

void Supervision::refuse_without_listener() const {
  const char* const flag = !flags_.events.empty()     ? "--events"
                           : !flags_.pid_file.empty() ? "--pid-file"
                           : flags_.exit_with_parent  ? "--exit-with-parent"
                                                      : nullptr;
  if (flag != nullptr)
    throw Error(ErrorKind::usage, fmt::format("{} is for a listener", flag),
                "name an address to listen on with --url, or a program behind --");
}

void Supervision::open_once(Session& session, const Url& url) const {
  if (link_ != nullptr) link_->open_once(session, url);
}

void Supervision::watch(ListenOptions& options, std::string_view scheme,
                        const std::string& name) const {
  events_.watch(options, name);
  if (link_ == nullptr) {
    options.parent = parent_;
    return;
  }
  options.trial = ListenOptions::Trial::done;
  options.supervisor = link_->socket();
  options.ready = [link = link_, ready = std::move(options.ready), scheme = std::string(scheme),
                   first = ProgramAddress(), count = std::size_t{0},
                   all = options.addresses.size()](const ListenAddress& address) mutable {
    ready(address);
    if (count++ == 0) first = program_address(address, scheme);
    if (count == all) link->tell_ready(first);
  };
}

std::vector<std::string> Supervision::removed() const {
  if (flags_.pid_file.empty() || !flags_.program.empty()) return {};
  return {flags_.pid_file};
}

int Supervision::run_supervised(const std::function<int()>& serve) {
  const PidFile pid_file(flags_.pid_file);
  if (flags_.program.empty()) return serve();
  const ProgramRun program{.words = flags_.program,
                           .serve =
                               [&](const ProgramLink& link) {
                                 ::unsetenv("NOTIFY_SOCKET");
                                 link_ = &link;
                                 serve();
                               },
                           .ready = [] { leave_service_manager_to("READY=1"); },
                           .has_to_end = [this] { return parent_ != 0 && ::getppid() != parent_; }};
  const int code = run_with_listener(program);
  notify_service_manager("STOPPING=1");
  return code;
}

int Supervision::run(const std::function<int()>& serve) {
  if (!flags_.events.empty()) events_ = Events(flags_.events);
  try {
    const int code = run_supervised(serve);
    events_.ended(code);
    return code;
  } catch (const Error& error) {
    events_.refused(error);
    events_.ended(static_cast<int>(error.kind()));
    throw;
  }
}

}  // namespace mayfly::cli
