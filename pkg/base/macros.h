/* base/macros.h - the few macros every file may use. */
#pragma once

#include <stddef.h>

#define HF_MUST_USE __attribute__((warn_unused_result))
#define HF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define HF_UNUSED __attribute__((unused))
#define HF_ALWAYS_INLINE inline __attribute__((always_inline)) /* where the optimizer, left alone, would not */
#define HF_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define HF_STR_(x) #x
#define HF_STR(x) HF_STR_(x)

/* Evaluate the greater or smaller one twice: no random numbers or reads as arguments. */
#define HF_MIN(a, b) ((a) < (b) ? (a) : (b))
#define HF_MAX(a, b) ((a) > (b) ? (a) : (b))

/* Run `fn(&variable)` when the variable leaves its scope. */
#define _cleanup_(fn) __attribute__((cleanup(fn)))

/* Move a pointer out of a variable that a cleanup would free. */
#define hf_steal(pointer)                                                                                              \
    ({                                                                                                                 \
        __typeof__(&(pointer)) place_ = &(pointer);                                                                    \
        __typeof__(pointer) value_ = *place_;                                                                          \
        *place_ = NULL;                                                                                                \
        value_;                                                                                                        \
    })

/* The structure that holds `member` at `pointer`. */
#define hf_container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Define `<name>p(type **)` for use with _cleanup_ from a `<name>(type *)` that accepts NULL. */
#define HF_DEFINE_CLEANUP(type, name)                                                                                  \
    static inline void name##p(type **pointer)                                                                         \
    {                                                                                                                  \
        name(*pointer);                                                                                                \
    }
