// The log of the libraries. They hand events to one sink and print nothing; no secret may be
// logged.
#pragma once

#include <functional>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "access/core/error.hpp"

namespace mayfly {

enum class LogLevel { debug, info, warn, error };

using LogFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;
using LogSink = std::function<void(LogLevel, std::string_view message, LogFields fields)>;

// Sets the sink for events of level `least` and above. Without a sink (the default) log() does
// nothing.
void set_log_sink(LogSink sink, LogLevel least = LogLevel::debug);
// Returns whether an event of this level reaches the sink. Ask before you compute costly fields.
bool is_logged(LogLevel level) noexcept;
void log(LogLevel level, std::string_view message, LogFields fields = {});
// Logs the message of the error, and its hint if it has one.
void log(LogLevel level, const Error& error);

}  // namespace mayfly
