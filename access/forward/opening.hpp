// What opens the application for one request, waited for as long as its program waits.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <optional>
#include <variant>
#include <vector>

#include "access/forward/abort_watch.hpp"
#include "access/forward/http_rewrite.hpp"
#include "access/listen/authorizer.hpp"

namespace mayfly {

// The headers, or the page that says why there are none.
using Opening = std::variant<Headers, Page>;

// Others than `refused`, if there are those. Nothing when the program has aborted. The authorizer
// outlives what runs in the executor.
asio::awaitable<std::optional<Opening>> find_opening(asio::any_io_executor executor,
                                                     Authorizer& authorizer,
                                                     std::optional<Headers> refused,
                                                     AbortWatch& program);

}  // namespace mayfly
