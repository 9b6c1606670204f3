#include "access/core/log.hpp"

namespace mayfly {
namespace {

struct Listener {
  LogSink sink;
  LogLevel least = LogLevel::debug;
};

Listener& listener() {
  static Listener instance;
  return instance;
}

}  // namespace

void set_log_sink(LogSink sink, LogLevel least) {
  listener() = {std::move(sink), least};
}

bool is_logged(LogLevel level) noexcept {
  return listener().sink && level >= listener().least;
}

void log(LogLevel level, std::string_view message, LogFields fields) {
  if (is_logged(level)) listener().sink(level, message, fields);
}

void log(LogLevel level, const Error& error) {
  if (error.hint().empty())
    log(level, error.message());
  else
    log(level, error.message(), {{"hint", error.hint()}});
}

}  // namespace mayfly
