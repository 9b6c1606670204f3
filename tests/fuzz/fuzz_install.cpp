// Blocks written to ~/.ssh and taken out again: the config and our own file, in sections after what
// asks for a block. No file is there for an empty section.
#include <sys/stat.h>

#include "block_request.hpp"
#include "property.hpp"
#include "scratch.hpp"
#include "sshconfig/install.hpp"

namespace mayfly::fuzz {
namespace {

using namespace sshconfig;

bool names_our_include(const std::string& config, const std::string& own_path) {
  return without_include(config, own_path) != config;
}

const Harness harness("install", [](std::string_view input) {
  static const Scratch scratch;
  Input in(input);
  Input request(in.section());
  const BlockOptions options = block_request(request);
  const std::string config(in.section()), own(in.section());
  const auto block = result_of({ErrorKind::usage}, [&] { return render_block(options); });
  if (!block || options.host.empty()) return;
  if (!config.empty()) scratch.put("config", config);
  if (!own.empty()) scratch.put("mayfly_config", own);

  const InstallPaths paths{.ssh_directory = scratch.path()};
  const auto installed = result_of({ErrorKind::failed}, [&] {
    const auto changes = plan_install(paths, options.host, *block);
    preview(changes);
    carry_out(changes);
    return true;
  });
  if (installed) {
    require(plan_install(paths, options.host, *block).empty(), "nothing is left to do");
    require(scratch.content("mayfly_config").find(*block) != std::string::npos, "it is installed");
    carry_out(plan_removal(paths, options.host));
    if (own.empty() && !names_our_include(config, scratch / "mayfly_config")) {
      require(!scratch.holds("mayfly_config"), "our own file is gone");
      require(scratch.content("config") == config && scratch.holds("config") == !config.empty(),
              "install then remove restores the bytes");
    }
  }
  scratch.clear();
});

}  // namespace
}  // namespace mayfly::fuzz
