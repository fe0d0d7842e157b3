/* SPDX-License-Identifier: Apache-2.0 */
/* base/macros.h - the few macros that every file may use. */
#pragma once

#include <stddef.h>

#define HF_MUST_USE __attribute__((warn_unused_result))
#define HF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define HF_UNUSED __attribute__((unused))
/* forces the compiler to inline a function that the optimizer would not inline by itself */
#define HF_ALWAYS_INLINE inline __attribute__((always_inline))
#define HF_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define HF_STR_(x) #x
#define HF_STR(x) HF_STR_(x)

/* HF_MIN, HF_MAX and HF_DISTANCE evaluate arguments twice, so pass no expression with a side effect, and no expression
 * whose value may change meanwhile. */
#define HF_MIN(a, b) ((a) < (b) ? (a) : (b))
#define HF_MAX(a, b) ((a) > (b) ? (a) : (b))
#define HF_DISTANCE(a, b) ((a) > (b) ? (a) - (b) : (b) - (a))

/* Runs `fn(&variable)` when the variable leaves its scope. */
#define _cleanup_(fn) __attribute__((cleanup(fn)))

/* Returns the pointer in a variable and sets the variable to NULL, so that a _cleanup_ does not free the pointer. */
#define hf_steal(pointer)                                                                                              \
    ({                                                                                                                 \
        __typeof__(&(pointer)) place_ = &(pointer);                                                                    \
        __typeof__(pointer) value_ = *place_;                                                                          \
        *place_ = NULL;                                                                                                \
        value_;                                                                                                        \
    })

/* Returns a pointer to the structure of type `type` whose member `member` is at `pointer`. */
#define hf_container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Defines `<name>p(type **)` for use with _cleanup_. The defined function calls `<name>(type *)`, which must accept
 * NULL. */
#define HF_DEFINE_CLEANUP(type, name)                                                                                  \
    static inline void name##p(type **pointer)                                                                         \
    {                                                                                                                  \
        name(*pointer);                                                                                                \
    }
