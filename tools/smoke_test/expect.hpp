#pragma once

#include "files/document.hpp"
#include "formats/csv.hpp"
#include "formats/text.hpp"
#include "records/error.hpp"
#include "scratch.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

/// What a check demands; each throws a ToolError with what is wrong.
namespace memprof::smoke {

inline void expect(bool good, const std::string& what) {
  if (!good) throw ToolError(ExitCode::failed, what);
}

inline void expect_code(const Outcome& outcome, int code) {
  expect(outcome.status.signal == 0 && outcome.status.code == code,
         fmt::format("{} instead of {}: {}", process::describe(outcome.status), code,
                     formats::one_line(outcome.errors, 300)));
}

/// Header and rows of a CSV file, all of them whole.
template <class Row>
std::vector<Row> read_csv(const std::string& path) {
  const auto text = files::read_document(path).value();
  expect(text.starts_with(formats::csv_header<Row>()), path + ": the header is not the right one");
  expect(text.ends_with('\n'), path + ": the last row is cut");
  std::vector<Row> rows;
  formats::CsvReader<Row> reader(path, [&](Row&& row) { rows.push_back(std::move(row)); });
  reader.feed(text);
  reader.finish().value();
  expect(reader.bad_rows() == 0, reader.first_problem());
  return rows;
}

}  // namespace memprof::smoke
