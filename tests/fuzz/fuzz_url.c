/* SPDX-License-Identifier: Apache-2.0 */
/* URLs and what they are redirected to. Line 1 is the base, the rest a Location. What must hold: what we judge is what would be connected to
 * (splitting the joined URL again gives the same origin), and nothing after '?', '#' or before '@' is shown. */
#include "loop/http/url.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/net/url_mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(const char *url)
{
    struct hf_url_parts parts, again;
    char shown[300];

    (void)hf_url_mask(url, shown, sizeof(shown));
    if (strlen(shown) >= sizeof(shown) || strchr(shown, '#') != NULL)
        abort();
    if (hf_url_split(url, &parts, NULL) < 0)
        return;
    if (strncmp(parts.origin, parts.https ? "https://" : "http://", parts.https ? 8 : 7) != 0 || parts.port == 0)
        abort();
    if (hf_url_split(parts.origin, &again, NULL) < 0 || strcmp(again.origin, parts.origin) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_view rest = {(const char *)bytes, n}, line;

    if (n == 0 || !hf_view_split(&rest, '\n', &line))
        return 0;
    _cleanup_(hf_freep) char *base = hf_view_dup(line);
    _cleanup_(hf_freep) char *location = hf_view_dup(rest);
    _cleanup_(hf_freep) char *joined = NULL;
    check(base);
    if (hf_url_join(base, location, &joined, NULL) == 0)
        check(joined);
    return 0;
}
