#include "cli/tunnel/supervision.hpp"

#include <stdlib.h>

#include <utility>

#include "access/core/error.hpp"
#include "cli/tunnel/listening.hpp"

namespace mayfly::cli {
namespace {

// The program and the process of the listener have no business with the service manager.
void leave_service_manager_to(const char* event) {
  notify_service_manager(event);
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace

void bind_supervision(Parser& parser, SupervisionFlags& flags) {
  parser.leave_words_behind_dashes(flags.program);
}

void Supervision::open_once(Session& session, const Url& url) const {
  if (link_ != nullptr) link_->open_once(session, url);
}

void Supervision::watch(ListenOptions& options, std::string_view scheme) const {
  if (link_ == nullptr) return;
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

int supervised(const SupervisionFlags& flags, const std::function<int(const Supervision&)>& serve) {
  if (flags.program.empty()) return serve(Supervision());
  const int code = run_with_listener({.words = flags.program,
                                      .serve =
                                          [&](const ProgramLink& link) {
                                            ::unsetenv("NOTIFY_SOCKET");
                                            Supervision supervision;
                                            supervision.link_ = &link;
                                            serve(supervision);
                                          },
                                      .ready = [] { leave_service_manager_to("READY=1"); }});
  notify_service_manager("STOPPING=1");
  return code;
}

}  // namespace mayfly::cli
