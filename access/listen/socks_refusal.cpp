#include "access/listen/socks_refusal.hpp"

namespace mayfly {
namespace {

using socks::Reply;

// No answer came, so it is this side's network, or the login.
Reply reply_without_answer(const LocalProtocol::Refusal& refusal) {
  if (refusal.error.is_timeout()) return Reply::ttl_expired;
  switch (refusal.error.kind()) {
    case ErrorKind::refused:
    case ErrorKind::login_needed:
      return Reply::not_allowed;
    case ErrorKind::network:
      return Reply::network_unreachable;
    default:
      return Reply::general_failure;
  }
}

}  // namespace

Reply socks_reply_to(const LocalProtocol::Refusal& refusal) {
  if (refusal.status == 0) return reply_without_answer(refusal);
  if (refusal.error.kind() == ErrorKind::refused) return Reply::not_allowed;
  switch (refusal.status) {
    case 502:  // cloudflared could not connect to the destination
    case 521:
      return Reply::connection_refused;
    case 408:
    case 504:
    case 522:
    case 524:
      return Reply::ttl_expired;
    case 523:
    case 530:  // no tunnel is connected, or the name is not known
      return Reply::host_unreachable;
    default:
      return Reply::general_failure;
  }
}

}  // namespace mayfly
