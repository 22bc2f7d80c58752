#include "report/page.hpp"

#include "analysis/ending.hpp"
#include "formats/text.hpp"
#include "report/assets.hpp"
#include "report/html.hpp"
#include "report/sections.hpp"

#include <fmt/format.h>

namespace memprof::report {
namespace {

/// dygraphs' MIT licence asks that its notice goes with it.
std::string licence_notice() {
  std::string out = "<details><summary>Licence of the charts (dygraphs)</summary>\n<pre>";
  for (const char byte : assets::dygraphs_licence()) {
    switch (byte) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += byte;
    }
  }
  return out + "</pre></details>\n";
}

std::string banners(const Summary& summary, const Manifest& manifest) {
  std::string out;
  if (summary.simulated) {
    out += paragraph("SIMULATED " + analysis::describe_simulated(summary), "banner simulated");
  }
  if (manifest.interrupted) {
    out += paragraph("INTERRUPTED: the run did not come to its end", "banner interrupted");
  }
  return out;
}

}  // namespace

std::string render_page(const Manifest& manifest, const Summary& summary,
                        const analysis::RunTraces& traces) {
  const auto model = manifest.server.model.value_or("a model that is not known");
  const auto title = formats::one_line("GPU memory pressure of " + model, 200);
  const auto style = std::string(assets::dygraphs_style()) + std::string(assets::page_style());
  auto page = document_head(title + " · " + formats::one_line(manifest.run_id, 100), style,
                            {assets::dygraphs_script(), assets::page_script()});
  page += banners(summary, manifest);
  page += fmt::format("<main>\n<h1>{}</h1>\n<p class=\"hint\">run {}{}</p>\n", escape(title),
                      escape(manifest.run_id, 100),
                      manifest.tag ? ", " + escape(*manifest.tag, 100) : "");
  page += verdict_section(summary, manifest) + memory_section(summary) + time_section(traces) +
          level_section(summary) + request_section(summary, traces) +
          provenance_section(summary, manifest);
  page += "<noscript><p>The charts over time need JavaScript; the tables do not.</p></noscript>\n";
  page += fmt::format("<footer>{}</footer>\n</main>\n<script>{}</script>\n<script>{}</script>\n"
                      "</body>\n</html>\n",
                      licence_notice(), assets::dygraphs_script(), assets::page_script());
  return page;
}

}  // namespace memprof::report
