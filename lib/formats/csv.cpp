#include "formats/csv.hpp"

#include <csv.h>

#include <new>

namespace memprof::formats {

void append_csv_text(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

struct CsvSplitter::State {
  csv_parser parser{};
  OnRecord on_record;
  std::vector<std::string> cells;
  std::size_t used = 0;

  void cell(std::string_view text) {
    if (used == cells.size()) cells.emplace_back();
    cells[used++].assign(text);
  }
  void end_record() {
    cells.resize(used);
    used = 0;
    on_record(cells);
  }

  static void on_cell(void* text, std::size_t size, void* self) {
    static_cast<State*>(self)->cell({static_cast<const char*>(text), size});
  }
  static void on_end(int, void* self) { static_cast<State*>(self)->end_record(); }
};

CsvSplitter::CsvSplitter(OnRecord on_record) : state_(std::make_unique<State>()) {
  state_->on_record = std::move(on_record);
  if (csv_init(&state_->parser, 0) != 0) throw std::bad_alloc();
  // libcsv trims blanks around cells unless told that nothing is a blank.
  csv_set_space_func(&state_->parser, [](unsigned char) { return 0; });
}

CsvSplitter::~CsvSplitter() { csv_free(&state_->parser); }

void CsvSplitter::feed(std::string_view bytes) {
  if (csv_parse(&state_->parser, bytes.data(), bytes.size(), &State::on_cell, &State::on_end,
                state_.get()) != bytes.size()) {
    throw std::bad_alloc();  // the only error without CSV_STRICT
  }
}

void CsvSplitter::finish() {
  csv_fini(&state_->parser, &State::on_cell, &State::on_end, state_.get());
}

}  // namespace memprof::formats
