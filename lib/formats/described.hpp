#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// What the schema, written once with Boost.Describe, says of a type.
namespace memprof::formats {

template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public |
                                                         boost::describe::mod_inherited>;

template <class T>
inline constexpr bool kIsDescribed = boost::describe::has_describe_members<T>::value;
template <class T>
inline constexpr bool kIsEnum = boost::describe::has_describe_enumerators<T>::value;

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

/// Calls f(name, pointer to member) for every member in order.
template <class T, class F>
void for_each_member(F&& f) {
  boost::mp11::mp_for_each<Members<T>>([&](auto member) { f(member.name, member.pointer); });
}

/// The names of an enumeration as users write them: `_` becomes `-`.
template <class E>
const std::vector<std::string>& enum_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto enumerator) {
      std::string name = enumerator.name;
      std::replace(name.begin(), name.end(), '_', '-');
      names.push_back(std::move(name));
    });
    return names;
  }();
  return kNames;
}

template <class E>
std::string_view enum_name(E value) {
  std::size_t index = 0;
  std::string_view found;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto enumerator) {
    if (enumerator.value == value) found = enum_names<E>()[index];
    ++index;
  });
  return found;
}

template <class E>
std::optional<E> parse_enum(std::string_view text) {
  std::size_t index = 0;
  std::optional<E> found;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto enumerator) {
    if (enum_names<E>()[index] == text) found = enumerator.value;
    ++index;
  });
  return found;
}

}  // namespace memprof::formats
