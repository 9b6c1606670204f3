#include "cli/tunnel/run_stats.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <nlohmann/json.hpp>

#include "access/core/clock.hpp"
#include "access/core/text.hpp"
#include "access/system/appended_file.hpp"
#include "access/system/descriptor.hpp"
#include "cli/terminal/message.hpp"
#include "cli/terminal/time_text.hpp"

namespace mayfly::cli {
namespace {

using Json = nlohmann::ordered_json;

const char* how_text(Ending::How how) {
  constexpr std::array texts = {"closed", "interrupted", "cut", "undelivered", "violation"};
  static_assert(texts.size() == static_cast<std::size_t>(Ending::How::violation) + 1);
  return texts[static_cast<std::size_t>(how)];
}

double in_thousandths(double value) {
  return std::round(value * 1000) / 1000;
}

Json round_trip_ms(const Ending& ending) {
  if (!ending.round_trip) return nullptr;
  return in_thousandths(std::chrono::duration<double, std::milli>(*ending.round_trip).count());
}

void add_ending(Json& line, const Ending& ending) {
  line["ended"] = how_text(ending.how);
  line["close_code"] = ending.close_code;
  line["reason"] = ending.reason;
  line["round_trip_ms"] = round_trip_ms(ending);
  line["cf_ray"] = ending.ray;
}

void add_error(Json& line, const std::string& why) {
  line["ended"] = "failed";
  line["close_code"] = nullptr;
  line["reason"] = why;
  line["round_trip_ms"] = nullptr;
  line["cf_ray"] = nullptr;
}

// Opens the file at the start, so that a wrong path is an error before the run.
class Output {
 public:
  explicit Output(const StatsFlags& flags) : flags_(flags) {
    if (flags.file.empty()) return;
    file_ = open_appended_file(flags.file);
    if (!file_) throw system_error(fmt::format("cannot open {}", printable(flags.file)), errno);
  }

  // Writes once for each line, since several runs may share a file.
  void write(const std::string& line) const {
    if (flags_.on_stderr) print_notice(line);
    if (file_ && ::write(file_.get(), line.data(), line.size()) < 0)
      print_warning(fmt::format("cannot write to {}", printable(flags_.file)));
  }

 private:
  StatsFlags flags_;
  Descriptor file_;
};

}  // namespace

void RunStats::add(const Ending& ending) {
  ++tunnels_;
  sent_ += ending.sent;
  received_ += ending.received;
  last_ending_ = ending;
}

void RunStats::fail(const Error& error) {
  ++failures_;
  error_ = error.message();
}

void RunStats::watch(ListenerOptions& options) {
  options.ended = [this, tell = std::move(options.ended)](const Ending& ending) {
    add(ending);
    tell(ending);
  };
  options.failed = [this, tell = std::move(options.failed)](const Error& error) {
    add_failure();
    tell(error);
  };
}

std::string RunStats::line(Time now) const {
  const std::chrono::duration<double> took = now - started_;
  Json line = {{"hostname", hostname_},
               {"started", rfc3339(std::chrono::floor<std::chrono::seconds>(started_))},
               {"seconds", in_thousandths(took.count())},
               {"tunnels", tunnels_},
               {"failures", failures_},
               {"sent", sent_},
               {"received", received_}};
  if (!error_.empty()) {
    add_error(line, error_);
  } else if (run_ == Of::one_tunnel && last_ending_) {
    add_ending(line, *last_ending_);
  } else {
    line["ended"] = how_text(Ending::How::interrupted);
  }
  return line.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

void bind_stats_flags(Parser& parser, StatsFlags& flags) {
  parser.add_flag("--stats", flags.on_stderr, "at the end tell bytes, time and more as JSON");
  parser.add_option("--stats-file", flags.file, "the same, appended to a file").type_name("FILE");
}

std::optional<Ending> with_stats(const StatsFlags& flags, RunStats stats,
                                 const std::function<std::optional<Ending>(RunStats&)>& carry) {
  const Output output(flags);
  const auto tell = [&] { output.write(stats.line(std::chrono::system_clock::now())); };
  std::optional<Ending> ending;
  try {
    ending = carry(stats);
  } catch (const Error& error) {
    stats.fail(error);
    tell();
    throw;
  }
  tell();
  return ending;
}

}  // namespace mayfly::cli
