#include "cli/tunnel/events.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "access/core/clock.hpp"
#include "access/core/text.hpp"
#include "access/system/appended_file.hpp"
#include "cli/tunnel/listening.hpp"

namespace mayfly::cli {
namespace {

using Json = nlohmann::ordered_json;

// The names that programs see; the kinds are the exit codes of mayfly(1).
const char* kind_text(ErrorKind kind) {
  constexpr std::array texts = {"failed",  "usage",   "login_needed",
                                "refused", "network", "protocol"};
  static_assert(texts.size() == static_cast<std::size_t>(ErrorKind::protocol));
  return texts[static_cast<std::size_t>(kind) - 1];
}

double in_thousandths(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

// Returns the number of "/dev/fd/N", or nullopt for another path.
std::optional<int> descriptor_number(std::string_view path) {
  constexpr std::string_view folder = "/dev/fd/";
  if (!path.starts_with(folder)) return std::nullopt;
  int number = -1;
  const char* const end = path.data() + path.size();
  const auto read = std::from_chars(path.data() + folder.size(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number < 0) return std::nullopt;
  return number;
}

// A supervisor that waits for the end of the events must not wait for a program of the listener.
Descriptor taken(int number, const std::string& name) {
  Descriptor copy(::fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!copy)
    throw Error(ErrorKind::usage, fmt::format("{} is not open", printable(name)),
                "start mayfly with that descriptor, or name a file");
  if (number > STDERR_FILENO) ::fcntl(number, F_SETFD, FD_CLOEXEC);
  return copy;
}

Descriptor opened(const std::string& file) {
  if (file == "-") return taken(STDERR_FILENO, "standard error");
  if (const auto number = descriptor_number(file)) return taken(*number, file);
  Descriptor opened = open_appended_file(file);
  if (!opened) throw system_error(fmt::format("cannot open {}", printable(file)), errno);
  return opened;
}

Json members_of(const Error& error) {
  return {{"kind", kind_text(error.kind())},
          {"message", error.message()},
          {"hint", error.hint()},
          {"cf_ray", ray_in(error.message())}};
}

}  // namespace

Events::Events(const std::string& file) : file_(opened(file)) {}

// Calls write() once for each line, since the process that logs in writes, too. A supervisor that
// does not read loses events: it must not hold up the tunnels.
void Events::write(std::string_view event, Json&& members) const {
  if (!file_) return;
  Json line = {{"time", rfc3339(now())}, {"event", event}};
  line.update(members);
  const std::string text = line.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
  pollfd room{.fd = file_.get(), .events = POLLOUT, .revents = 0};
  if (::poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const auto written = ::write(file_.get(), text.data(), text.size());
}

void Events::watch(ListenOptions& options, const std::string& name) const {
  if (!file_) return;
  options.ready = [this, name, tell = std::move(options.ready)](const ListenAddress& address) {
    tell(address);
    write("listening", {{"address", authority(address)}, {"name", name}});
  };
  options.tried = [this, tell = std::move(options.tried)](const std::optional<Error>& problem) {
    tell(problem);
    if (problem) refused(*problem);
  };
  options.failed = [this, tell = std::move(options.failed)](const Error& error) {
    tell(error);
    refused(error);
  };
}

void Events::watch_tunnels(ListenerOptions& options) const {
  if (!file_) return;
  options.opened = [this](std::uint64_t id, const std::string& destination) {
    Json members = {{"id", id}};
    if (!destination.empty()) members["destination"] = destination;
    write("opened", std::move(members));
  };
  options.closed = [this](std::uint64_t id, const Ending& ending) {
    write("closed", {{"id", id},
                     {"bytes_sent", ending.sent},
                     {"bytes_received", ending.received},
                     {"seconds", in_thousandths(ending.age)},
                     {"close_code", ending.close_code},
                     {"reason", ending.reason}});
  };
}

void Events::watch_logins(LoginPrompt& prompt) const {
  if (!file_) return;
  prompt.show = [this, show = std::move(prompt.show)](const std::string& url) {
    write("login_needed", {{"url", url}});
    show(url);
  };
  prompt.show_local = [this, show = std::move(prompt.show_local)](const std::string& url,
                                                                  const std::string& redirect) {
    write("login_needed", {{"url", url}});
    show(url, redirect);
  };
  prompt.other_login = [this, tell = std::move(prompt.other_login)](long pid,
                                                                    std::string_view url) {
    write("login_needed", {{"url", url}});
    tell(pid, url);
  };
  prompt.logged_in = [this, tell = std::move(prompt.logged_in)](const TokenClaims& claims) {
    write("logged_in", {{"identity", claims.identity()}, {"until", rfc3339(claims.expires)}});
    tell(claims);
  };
}

void Events::refused(const Error& error) const {
  write("refused", members_of(error));
}

void Events::ended(int exit_code) const {
  write("ended", {{"exit_code", exit_code}});
}

std::string ray_in(std::string_view message) {
  constexpr std::string_view mark = "cf-ray ";
  const auto at = message.find(mark);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = message.substr(at + mark.size());
  return std::string(rest.substr(0, rest.find_first_of(",) ")));
}

}  // namespace mayfly::cli
