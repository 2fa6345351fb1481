// everprof.hpp - labels as objects, for C++.
//
//     everprof::labels here{"endpoint", path, "tenant", tenant};
//     handle(request);            // labelled until `here` goes out of scope
//
// Everything else is everprof.h.  C++11.
#ifndef EVERPROF_HPP
#define EVERPROF_HPP

#include "everprof.h"

#include <string>

namespace everprof
{

namespace detail
{
inline const char *text(const char *s) noexcept
{
	return s;
}
inline const char *text(const std::string &s) noexcept
{
	return s.c_str();
}
} // namespace detail

// derive - a set to carry along; see everprof_labels_derive().
template <class... Strings>
const everprof_labels *derive(const everprof_labels *base, const Strings &...key_values)
{
	static_assert(sizeof...(Strings) % 2 == 0, "labels come in pairs of key and value");
	const char *const kv[sizeof...(Strings) + 1] = {detail::text(key_values)..., nullptr};
	return everprof_labels_derive_v(base, sizeof...(Strings), kv);
}

// labels - adds labels to this thread for as long as the object lives.  Objects
// nest, so they must die in the reverse order of their birth and on their thread;
// that is why they neither copy nor move.
class labels
{
      public:
	template <class... Strings> explicit labels(const Strings &...key_values)
	{
		everprof_block_begin_(&scope_, derive(everprof_labels_current(), key_values...));
	}
	~labels()
	{
		everprof_block_end_(&scope_);
	}
	labels(const labels &) = delete;
	labels &operator=(const labels &) = delete;

      private:
	everprof_block_ scope_;
};

// with - puts a ready set in force for as long as the object lives.
class with
{
      public:
	explicit with(const everprof_labels *set)
	{
		everprof_block_begin_(&scope_, set);
	}
	~with()
	{
		everprof_block_end_(&scope_);
	}
	with(const with &) = delete;
	with &operator=(const with &) = delete;

      private:
	everprof_block_ scope_;
};

// task - a task that lasts as long as the object, and is this thread's meanwhile: it lives
// and dies on one thread.  One that goes from thread to thread is everprof_task_begin()'s.
class task
{
      public:
	template <class String>
	explicit task(const String &type)
	    : task_(everprof_task_begin(detail::text(type))), before_(everprof_task_attach(task_))
	{
	}
	~task()
	{
		everprof_task_attach(before_);
		everprof_task_end(task_);
	}
	task(const task &) = delete;
	task &operator=(const task &) = delete;

      private:
	everprof_task *task_, *before_;
};

// entry - a thing that is in a custom profile as long as the object lives; known by the
// object's own address.
class entry
{
      public:
	explicit entry(everprof_profile *profile) : profile_(profile)
	{
		everprof_profile_add(profile_, this, 0);
	}
	~entry()
	{
		everprof_profile_remove(profile_, this);
	}
	entry(const entry &) = delete;
	entry &operator=(const entry &) = delete;

      private:
	everprof_profile *profile_;
};

} // namespace everprof

#endif
