// Which SOCKS5 reply a refused tunnel amounts to.
#pragma once

#include "access/listen/local_protocol.hpp"
#include "access/listen/socks.hpp"

namespace mayfly {

socks::Reply socks_reply_to(const LocalProtocol::Refusal& refusal);

}  // namespace mayfly
