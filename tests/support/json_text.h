/* SPDX-License-Identifier: Apache-2.0 */
/* A tree as compact text, for a fake that answers with it. */
#pragma once

#include <stdlib.h>

#include "codec/json.h"

/* Free the text with free(). */
static inline char *json_text(const json_t *json)
{
    struct hf_buf out = HF_BUF_INIT(SIZE_MAX / 2);
    char *text = hf_json_format(json, &out) == 0 ? hf_buf_take(&out) : NULL;

    if (text == NULL)
        abort();
    return text;
}
