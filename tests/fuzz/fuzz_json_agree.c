/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: everything that accepts JSON takes them, or everything refuses them. */
#include <stdlib.h>

#include "support/json_agree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *complaint;

    (void)json_ask_all((struct hf_view){(const char *)bytes, n}, &complaint);
    if (complaint != NULL) {
        (void)fprintf(stderr, "%s\n", complaint);
        abort();
    }
    return 0;
}
