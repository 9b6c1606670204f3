#include "access/core/log.hpp"

namespace mayfly {
namespace {

LogSink& sink() {
  static LogSink instance;
  return instance;
}

}  // namespace

void set_log_sink(LogSink new_sink) {
  sink() = std::move(new_sink);
}

bool logging_enabled() noexcept {
  return static_cast<bool>(sink());
}

void log(LogLevel level, std::string_view message, LogFields fields) {
  if (sink()) sink()(level, message, fields);
}

}  // namespace mayfly
