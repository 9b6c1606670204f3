// What the libraries have to tell, handed to whoever listens. Nothing here prints; nothing secret
// goes in.
#pragma once

#include <functional>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace mayfly {

enum class LogLevel { debug, info, warn, error };

using LogFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;
using LogSink = std::function<void(LogLevel, std::string_view message, LogFields fields)>;

// Without a sink (the default) log() does nothing. What is below `least` does not get there.
void set_log_sink(LogSink sink, LogLevel least = LogLevel::debug);
// Whether somebody hears it: before fields are put together that cost something.
bool is_logged(LogLevel level) noexcept;
void log(LogLevel level, std::string_view message, LogFields fields = {});

}  // namespace mayfly
