/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#define HF_MUST_USE __attribute__((warn_unused_result))
#define HF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define HF_UNUSED __attribute__((unused))
#define HF_ALWAYS_INLINE inline __attribute__((always_inline))
#define HF_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define HF_STR_(x) #x
#define HF_STR(x) HF_STR_(x)

/* Arguments may be evaluated twice: no side effects, no values that may change. */
#define HF_MIN(a, b) ((a) < (b) ? (a) : (b))
#define HF_MAX(a, b) ((a) > (b) ? (a) : (b))
#define HF_DISTANCE(a, b) ((a) > (b) ? (a) - (b) : (b) - (a))

#define _cleanup_(fn) __attribute__((cleanup(fn)))

/* Moves a pointer out of a variable with _cleanup_, which becomes NULL. */
#define hf_steal(pointer)                                                                                              \
    ({                                                                                                                 \
        __typeof__(&(pointer)) place_ = &(pointer);                                                                    \
        __typeof__(pointer) value_ = *place_;                                                                          \
        *place_ = NULL;                                                                                                \
        value_;                                                                                                        \
    })

#define hf_container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Defines `<name>p(type **)` for _cleanup_. */
#define HF_DEFINE_CLEANUP(type, name)                                                                                  \
    static inline void name##p(type **pointer)                                                                         \
    {                                                                                                                  \
        name(*pointer);                                                                                                \
    }
