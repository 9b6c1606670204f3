#include "cli/terminal/log_sink.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "access/core/clock.hpp"
#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/system/appended_file.hpp"
#include "access/system/descriptor.hpp"
#include "access/system/owners_umask.hpp"
#include "cli/terminal/log_rotation.hpp"
#include "cli/terminal/message.hpp"

namespace mayfly::cli {
namespace {

constexpr LogRotation rotation_in_directory{.most_bytes = std::size_t{1024} * 1024, .older = 5};

struct Level {
  std::string_view name, short_name;
  LogLevel level;
};
constexpr Level levels[] = {
    {"debug", "DBG", LogLevel::debug}, {"info", "INF", LogLevel::info},
    {"warn", "WRN", LogLevel::warn},   {"error", "ERR", LogLevel::error},
    {"fatal", "FTL", LogLevel::error},
};

std::optional<LogLevel> parse_level(const std::string& text) {
  if (text.empty()) return LogLevel::info;
  if (equals_ignoring_case(text, "trace")) return LogLevel::debug;
  for (const Level& level : levels) {
    if (equals_ignoring_case(level.name, text)) return level.level;
  }
  return std::nullopt;
}

const Level& description(LogLevel level) {
  return levels[static_cast<std::size_t>(level)];
}

std::string json_line(LogLevel level, std::string_view message, LogFields fields) {
  nlohmann::ordered_json line;
  line["level"] = description(level).name;
  for (const auto& [key, value] : fields) line[std::string(key)] = value;
  line["time"] = rfc3339(now());
  line["message"] = message;
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string terminal_line(LogLevel level, std::string_view message, LogFields fields) {
  std::string line =
      fmt::format("{} {} {}", rfc3339(now()), description(level).short_name, printable(message));
  for (const auto& [key, value] : fields)
    line += fmt::format(" {}={}", key, printable(value, 1000));
  return line + "\n";
}

// Somebody may name a terminal, a pipe or /dev/null.
void keep_private(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid())
    ::fchmod(descriptor, 0600);
}

// As for a --log-directory that is not there yet. Best effort: the log itself says what is wrong.
void make_directory_of(const std::string& path) {
  const OwnersUmask umask;
  std::error_code ignored;
  const auto directory = std::filesystem::path(path).parent_path();
  if (!directory.empty()) std::filesystem::create_directories(directory, ignored);
}

Descriptor open_log(const std::string& path) {
  Descriptor file = open_appended_file(path);
  if (file || errno != ENOENT) return file;
  make_directory_of(path);
  return open_appended_file(path);
}

// A file that gets each line in one write(2): whole, also when the process is killed before the
// next, or another one writes to the same file. A full disk costs log lines, not the tunnel.
class FileLog {
 public:
  explicit FileLog(const std::string& path) : file_(open_log(path)) {
    if (!file_) {
      const Error reason = system_error("cannot open the log " + printable(path), errno);
      throw Error(reason.kind(), reason.message(), "check --logfile and --log-directory");
    }
    keep_private(file_.get());
  }
  void write(std::string line) const {
    line += '\n';
    [[maybe_unused]] const ssize_t written = ::write(file_.get(), line.data(), line.size());
  }

 private:
  Descriptor file_;
};

// at_once: when it is due already, and not again.
enum class Rotation { as_they_grow, at_once };

std::string path_in(const std::string& directory) {
  return directory + "/cloudflared.log";
}

// Other processes rotate the same files, a listener's login process among them: who finds the log
// renamed goes on in the new one.
class SharedLog {
 public:
  SharedLog(const std::string& directory, Rotation rotation)
      : path_(path_in(directory)), rotation_(rotation) {
    rotate_log_if_due(path_, 0, rotation_in_directory);
    open();
  }
  void write(const std::string& line) {
    if (rotation_ == Rotation::as_they_grow) {
      rotate_log_if_due(path_, line.size() + 1, rotation_in_directory);
      if (identity_of_path() != identity_) reopen();
    }
    log_->write(line);
  }

 private:
  using Identity = std::pair<dev_t, ino_t>;

  void open() {
    log_ = FileLog(path_);
    identity_ = identity_of_path();
  }
  void reopen() {
    try {
      open();
    } catch (const Error&) {  // it stays where it is
      identity_ = identity_of_path();
    }
  }
  std::optional<Identity> identity_of_path() const {
    struct stat status {};
    if (::stat(path_.c_str(), &status) != 0) return std::nullopt;
    return Identity(status.st_dev, status.st_ino);
  }

  std::string path_;
  Rotation rotation_;
  std::optional<FileLog> log_;
  std::optional<Identity> identity_;
};

void log_as(const LogSettings& settings, Rotation rotation) {
  const LogLevel least = parse_level(settings.level).value_or(LogLevel::info);
  const auto file =
      settings.file.empty() ? nullptr : std::make_shared<const FileLog>(settings.file);
  const auto shared = settings.directory.empty()
                          ? nullptr
                          : std::make_shared<SharedLog>(settings.directory, rotation);
  const bool on_terminal = settings.terminal == LogSettings::Terminal::lines;
  if (!file && !shared && !on_terminal) return;
  const auto sink = [=](LogLevel level, std::string_view message, LogFields fields) {
    const std::string line = file || shared ? json_line(level, message, fields) : "";
    if (file) file->write(line);
    if (shared) shared->write(line);
    // Last, since whoever sees it may look for the others.
    if (on_terminal) print_notice(terminal_line(level, message, fields));
  };
  set_log_sink(sink, least);
}

LogSettings& current_settings() {
  static LogSettings settings;
  return settings;
}

}  // namespace

void start_logging(const LogSettings& settings) {
  if (!parse_level(settings.level)) {
    print_warning(
        fmt::format("{} is no log level: info is used, of debug, info, warn, error, fatal",
                    printable(settings.level)));
  }
  log_as(settings, Rotation::as_they_grow);
  current_settings() = settings;
}

void stop_rotating_log_files() {
  if (!current_settings().directory.empty()) log_as(current_settings(), Rotation::at_once);
}

}  // namespace mayfly::cli
