#pragma once

#include "records/units.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace memprof::formats {

/// `2026-02-25T10:00:00.123456+00:00`
void append_timestamp(std::string& out, Timestamp time);
std::string format_timestamp(Timestamp time);

/// Reads what format_timestamp writes and what Python's datetime.isoformat() writes: 0–9 fraction
/// digits (cut to microseconds), `+HH:MM` offset, `Z`, or none (then UTC), `T` or a blank between.
std::optional<Timestamp> parse_timestamp(std::string_view text);

}  // namespace memprof::formats
