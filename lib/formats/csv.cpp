#include "formats/csv.hpp"

#include <csv.h>

#include <algorithm>
#include <new>

namespace memprof::formats {
namespace {

constexpr std::size_t kPiece = 64u << 10;

}  // namespace

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
  std::size_t pending = 0;  // bytes since the last record's end, but for its own piece's
  bool too_long = false;

  void cell(std::string_view text) {
    if (used == cells.size()) cells.emplace_back();
    cells[used++].assign(text);
  }
  void end_record() {
    cells.resize(used);
    used = 0;
    pending = 0;
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
  while (!bytes.empty() && !state_->too_long) {
    const auto piece = bytes.substr(0, std::min(bytes.size(), kPiece));
    bytes.remove_prefix(piece.size());
    state_->pending += piece.size();
    if (csv_parse(&state_->parser, piece.data(), piece.size(), &State::on_cell, &State::on_end,
                  state_.get()) != piece.size()) {
      throw std::bad_alloc();  // the only error without CSV_STRICT
    }
    state_->too_long = state_->pending > kLongestCsvRecord;
  }
}

bool CsvSplitter::is_too_long() const { return state_->too_long; }

void CsvSplitter::finish() {
  if (state_->too_long) return;
  csv_fini(&state_->parser, &State::on_cell, &State::on_end, state_.get());
}

}  // namespace memprof::formats
