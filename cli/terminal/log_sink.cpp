#include "cli/terminal/log_sink.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
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

// The path may be a terminal, a pipe or /dev/null.
void keep_private(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid())
    ::fchmod(descriptor, 0600);
}

// Creates the directory of --log-directory. Failures are ignored, since open() reports them.
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

// A file that gets each line by one write(2): whole even if the process is killed, or if another
// process writes to the file. A full disk loses log lines and does not end the tunnel.
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

// at_once: only at the start.
enum class Rotation { as_they_grow, at_once };

std::string path_in(const std::string& directory) {
  return directory + "/cloudflared.log";
}

// A log that other processes rotate, too, among them a listener's login process. Goes on in the new
// file if the log was renamed.
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
    } catch (const Error&) {  // goes on in the old file
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
  using Terminal = LogSettings::Terminal;
  const bool on_terminal = settings.terminal != Terminal::silent;
  const LogLevel shown = settings.terminal == Terminal::warnings ? LogLevel::warn : least;
  if (!file && !shared && !on_terminal) return;
  const auto sink = [=](LogLevel level, std::string_view message, LogFields fields) {
    const std::string line = file || shared ? json_line(level, message, fields) : "";
    if (file) file->write(line);
    if (shared) shared->write(line);
    // Last: a person who sees the line may look for it in the files.
    if (on_terminal && level >= shown) print_notice(terminal_line(level, message, fields));
  };
  set_log_sink(sink, least);
}

LogSettings& current_settings() {
  static LogSettings settings;
  return settings;
}

std::string numbered(const std::string& path, std::size_t number) {
  if (number == 0) return path;
  std::filesystem::path name(path);
  const std::string extension = name.extension();
  return fmt::format("{}.{}{}", name.replace_extension().string(), number, extension);
}

bool is_too_large(const struct stat& status, std::size_t more, std::size_t most_bytes) {
  const auto size = static_cast<std::size_t>(status.st_size);
  return size > 0 && size + more > most_bytes;
}

// Returns whether no other process has renamed the file.
bool is_named(const struct stat& file, const std::string& path) {
  struct stat named {};
  return ::stat(path.c_str(), &named) == 0 && named.st_dev == file.st_dev &&
         named.st_ino == file.st_ino;
}

// An interrupted rotation leaves a gap; the files after it have been renamed already.
std::size_t first_gap(const std::string& path, std::size_t last) {
  std::size_t number = 1;
  while (number < last && ::access(numbered(path, number).c_str(), F_OK) == 0) ++number;
  return number;
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

void rotate_log_if_due(const std::string& path, std::size_t more, const LogRotation& rotation) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !is_too_large(status, more, rotation.most_bytes))
    return;
  // Only the holder of the lock rotates. Over NFS a lock needs a writable descriptor (flock(2)).
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK));
  if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return;
  if (::fstat(file.get(), &status) != 0 || !is_named(status, path) ||
      !is_too_large(status, more, rotation.most_bytes))
    return;
  for (std::size_t to = first_gap(path, rotation.older); to > 0; --to)
    if (::rename(numbered(path, to - 1).c_str(), numbered(path, to).c_str()) != 0) return;
}

}  // namespace mayfly::cli
