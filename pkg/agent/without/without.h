/* SPDX-License-Identifier: Apache-2.0 */
/* Macros for the functions of a feature that is left out. */
#pragma once

#include "agent/features.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

#define HF_FEATURE_LEFT_OUT(name) const char hf_without_##name = 1

#define HF_FEATURE_NOTHING(signature)                                                                                  \
    void signature                                                                                                     \
    {                                                                                                                  \
    }                                                                                                                  \
    _Static_assert(1, "")

#define HF_FEATURE_RETURNS(signature, ...)                                                                             \
    signature                                                                                                          \
    {                                                                                                                  \
        return __VA_ARGS__;                                                                                            \
    }                                                                                                                  \
    _Static_assert(1, "")

/* Defines struct `name`, and a function that returns its only instance. */
#define HF_FEATURE_EMPTY(name, signature)                                                                              \
    struct name {                                                                                                      \
        char none;                                                                                                     \
    };                                                                                                                 \
    signature                                                                                                          \
    {                                                                                                                  \
        static struct name only;                                                                                       \
        return &only;                                                                                                  \
    }                                                                                                                  \
    _Static_assert(1, "")
