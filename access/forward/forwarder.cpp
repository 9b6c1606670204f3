#include "access/forward/forwarder.hpp"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>
#include <exception>
#include <memory>

#include "access/dial/dial.hpp"
#include "access/forward/http_connection.hpp"
#include "access/forward/no_answer.hpp"
#include "access/listen/local_server.hpp"

namespace mayfly {
namespace {

std::vector<std::string> names_of(const ForwarderOptions& options) {
  std::vector<std::string> names;
  for (const ListenAddress& address : options.addresses)
    if (!address.host.empty()) names.push_back(address.host);
  return names;
}

asio::awaitable<void> serve(LocalServer& server, const HttpConnection::Shared& shared,
                            Descriptor socket, LocalServer::Guest guest) {
  const auto executor = co_await asio::this_coro::executor;
  const auto connection =
      std::make_shared<HttpConnection>(executor, shared, std::move(socket), std::move(guest));
  server.opened(connection);
  if (server.ending()) connection->interrupt();
  std::exception_ptr thrown;
  try {
    co_await connection->run();
  } catch (...) {
    thrown = std::current_exception();
  }
  server.closed(connection);
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace

void run_forwarder(const ForwarderOptions& options, const Authorization& authorization) {
  Authorizer authorizer(authorization);  // first, so that its login process inherits nothing else
  Dialer dialer(options.edge, TlsContext::Buffers::release);
  BufferPool buffers;
  const LocalPeers peers;
  asio::io_context loop(ASIO_CONCURRENCY_HINT_UNSAFE);  // what waits in it goes before those
  LocalServer server(loop, options, page_text(too_busy()));
  EdgePool pool(dialer);
  const HttpConnection::Shared shared{.options = options,
                                      .authorizer = authorizer,
                                      .pool = pool,
                                      .buffers = buffers,
                                      .names = names_of(options),
                                      .peers = &peers};
  if (options.trial == ListenOptions::Trial::at_start)
    asio::co_spawn(loop, try_application(authorizer, options), asio::detached);
  server.run([&](Descriptor socket, LocalServer::Guest guest) {
    return serve(server, shared, std::move(socket), std::move(guest));
  });
}

}  // namespace mayfly
