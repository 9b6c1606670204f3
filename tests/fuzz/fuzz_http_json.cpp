// JSON that the HTTP listener passes on, in pieces of a size that the first byte says.
#include <nlohmann/json.hpp>
#include <string>

#include "access/forward/json_urls.hpp"
#include "fuzz.hpp"
#include "property.hpp"

namespace mayfly::fuzz {
namespace {

using Json = nlohmann::json;

const SitePair site{.local = "127.0.0.1:8080", .application = parse_url("app.example")};

std::string changed(std::string_view text, std::size_t piece) {
  JsonUrls urls(site);
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    out += urls.take(text.substr(0, piece));
  return out + urls.take_rest();
}

// local_url() judges the whole string, as a header's value.
void check_same_but_urls(const Json& before, const Json& after) {
  require(before.type() == after.type() && before.size() == after.size(), "the text has its shape");
  if (before.is_string())
    require(after.get<std::string>() == local_url(before.get<std::string>(), site),
            "only URLs of the application change");
  else if (!before.is_structured())
    require(before == after, "everything else stays");
  else if (before.is_array())
    for (std::size_t i = 0; i < before.size(); ++i) check_same_but_urls(before[i], after[i]);
}

const Harness harness("http_json", [](std::string_view input) {
  Input in(input);
  const std::size_t piece = in.byte() % 16 + 1;
  const std::string_view text = in.rest();
  const std::string all = changed(text, text.size() + 1);
  require(changed(text, piece) == all, "any split of the text gives the same");
  for (const auto change : {local_link, local_refresh, local_challenges})
    require(!is_field_value(text) || is_field_value(change(text, site)), "a header stays one");
  const Json before = Json::parse(text, nullptr, false);
  if (before.is_discarded()) return;
  const Json after = Json::parse(all, nullptr, false);
  require(!after.is_discarded(), "JSON stays JSON");
  if (before.is_array() || before.is_string()) check_same_but_urls(before, after);
});

}  // namespace
}  // namespace mayfly::fuzz
