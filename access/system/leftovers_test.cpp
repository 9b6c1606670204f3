#include "access/system/leftovers.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <unistd.h>

#include "access/system/lock.hpp"
#include "access/system/platform.hpp"
#include "access/system/temporary_file.hpp"
#include "access/testing/forked_child.hpp"
#include "access/testing/scratch_directory.hpp"

namespace mayfly {
namespace {

using testing::ForkedChild;
using testing::Line;
using testing::put;
using Names = std::vector<std::string>;

struct State {
  testing::ScratchDirectory scratch;
  StateDirectory directory = StateDirectory::open(scratch.path());

  Names after_clearing() const {
    clear_leftovers(directory);
    return directory.list();
  }
};

// A login that has its lock, its URL and a file half written.
int log_in(const State& state, const Line& line) {
  auto lock = wait_for_login_lock(state.directory, "a-token", {});
  lock->publish_url("https://vm.example.com/cdn-cgi/access/cli");
  TemporaryFile token(state.directory.descriptor(), state.directory.path());
  token.write("half");
  line.tell('w');
  return line.hear();
}

TEST_SUITE("core/leftovers") {
  TEST_CASE("of a killed login nothing stays, of a living one everything") {
    const State state;
    ForkedChild login([&](const Line& line) { return log_in(state, line); });
    REQUIRE(login.hear() == 'w');
    CHECK(state.after_clearing().size() == 3);
    login.kill_unreaped();
    CHECK(state.after_clearing().empty());
  }

  TEST_CASE("a URL without its lock goes") {
    const State state;
    put(state.scratch / "a-token.url", "https://vm.example.com/");
    CHECK(state.after_clearing().empty());
  }

  TEST_CASE("cloudflared's lock goes with its process" *
            doctest::skip(platform == Platform::portable)) {
    const State state;
    put(state.scratch / "vm.example.com-cf_key.lock",
        fmt::format("{{\"pid\":{},\"start_time\":1}}", ::getpid()));
    put(state.scratch / "a-token.lock", fmt::format("{{\"pid\":{},\"start_time\":{}}}", ::getpid(),
                                                    process_start_time_ms(::getpid()).value()));
    CHECK(state.after_clearing() == Names{"a-token.lock"});
  }

  TEST_CASE("other files are nobody's business") {
    const State state;
    Names names{"a-token", "apt.lock", "cert.pem", "home.url", "x.tmp"};
    for (const std::string& name : names) put(state.scratch / name, "");
    std::filesystem::create_directory(state.scratch / "b-token.lock");
    names.insert(names.begin() + 2, "b-token.lock");
    CHECK(state.after_clearing() == names);
  }
}

}  // namespace
}  // namespace mayfly
