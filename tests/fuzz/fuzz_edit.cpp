// The user's ~/.ssh/config and our own file, in sections after what asks for a block.

#include "access/core/text.hpp"
#include "block_request.hpp"
#include "property.hpp"
#include "sshconfig/edit.hpp"

namespace mayfly::fuzz {
namespace {

using namespace sshconfig;

constexpr std::string_view own_path = "/home/somebody/.ssh/mayfly_config";

void check_include(const std::string& config) {
  const std::string with = with_include(config, own_path);
  require(with_include(with, own_path) == with, "one Include is enough");
  if (without_include(config, own_path) != config) return;  // there was one
  require(without_include(with, own_path) == config, "install then remove restores the bytes");
}

void check_block(const std::string& own, const std::string& host, const std::string& block) {
  const std::string with = with_block(own, host, block);
  require(with_block(with, host, block) == with, "one block is enough");
  require(with.find(block) != std::string::npos, "the block is in it");
  const auto before = hosts_with_blocks(own), after = hosts_with_blocks(with);
  if (after.size() == before.size()) return;  // there was one, which is replaced
  require(after.size() == before.size() + 1, "there is one more host");
  const std::string restored = without_block(with, host);
  if (own.empty())
    require(is_bare(restored), "install then remove leaves our own file bare");
  else
    require(restored == own || restored == own + "\n", "install then remove restores the bytes");
}

const Harness harness("edit", [](std::string_view input) {
  Input in(input);
  Input request(in.section());
  const BlockOptions options = block_request(request);
  const std::string config(in.section());
  const std::string own(in.section());
  check_include(config);

  const auto block = result_of({ErrorKind::usage}, [&] { return render_block(options); });
  if (!block || options.host.empty()) return;
  result_of({ErrorKind::failed}, [&] {
    check_block(own, options.host, *block);
    const std::string noted = with_made_note(own);
    require(has_made_note(noted) && with_made_note(noted) == noted, "a note is made once");
    return true;
  });
});

}  // namespace
}  // namespace mayfly::fuzz
