// The pages for a request that gets no answer from the application: why, and what to do.
#pragma once

#include <string_view>

#include "access/core/error.hpp"
#include "access/forward/http_request.hpp"

namespace mayfly {

// What kept it from being asked: 403 when somebody's rule did, 504 when time ran out, else 502.
Page page_of(const Error& error);
// There are too many connections, or requests that are held in memory; there may be fewer soon.
Page too_busy();
Page no_answer(const AskedRequest& asked, std::string_view problem);
Page too_late(const AskedRequest& asked);
Page login_again(const AskedRequest& asked);
Page login_in_between(const AskedRequest& asked);

}  // namespace mayfly
