#include "access/listen/listener.hpp"

#include "access/listen/tunnel_service.hpp"

namespace mayfly {

void run_listener(const ListenerOptions& options, const Authorization& authorization) {
  serve_tunnels(options, authorization, nullptr);
}

}  // namespace mayfly
