#include "access/transport/listener.hpp"

#include "access/transport/tunnel_service.hpp"

namespace mayfly {

void run_listener(const ListenerOptions& options, const Authorization& authorization) {
  serve_tunnels(options, authorization, nullptr);
}

}  // namespace mayfly
