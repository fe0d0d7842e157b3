/* SPDX-License-Identifier: Apache-2.0 */
/* The node's configuration. The bytes up to a line "%%%" are the file; the lines behind it are asked for as path, pattern and URL. What must
 * hold: a text that cannot be used allows no more than the defaults, what is printed parses again to the same, and nothing outside a
 * normal path is ever covered. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void print_twice(const struct hf_config *config)
{
    _cleanup_(hf_buf_done) struct hf_buf once = HF_BUF_INIT(1 << 21), twice = HF_BUF_INIT(1 << 21);
    _cleanup_(hf_config_freep) struct hf_config *again = NULL;

    if (hf_config_format(config, &once) < 0 || hf_config_parse(hf_buf_view(&once), "again", &again, NULL) < 0)
        abort();
    if (hf_config_n_faults(again) > 0 || hf_config_format(again, &twice) < 0)
        abort();
}

static void ask(const struct hf_config *config, const char *what)
{
    static const char *const schemes[] = {"https", "http", NULL};
    char origin[HF_CONFIG_ORIGIN], once[HF_CONFIG_ORIGIN];
    bool normal = hf_config_path_is_normal(what);

    for (int i = 0; i < HF_CONFIG_SCOPES; i++) {
        enum hf_config_scope scope = (enum hf_config_scope)i;
        bool file = hf_config_allows_file(config, scope, what);
        if (!normal && (file || hf_config_allows_file_glob(config, scope, what, NULL) ||
                        hf_config_allows_socket(config, scope, what, NULL)))
            abort();
        if (!hf_config_is_usable(config) && file && !hf_config_allows_file(NULL, scope, what))
            abort();
        (void)hf_config_allows_secret(config, scope, what, NULL);
        (void)hf_config_allows_scrape(config, scope, what, false, NULL);
        (void)hf_config_allows_broker(config, scope, what, NULL);
        if (hf_config_allows_sink(config, scope, what, NULL) && strstr(what, "@") != NULL &&
            strcspn(what, "@") < strcspn(what + 8, "/?#") + 8)
            abort();
    }
    /* the origin of an origin is itself */
    if (hf_config_origin_of(what, schemes, origin) &&
        (!hf_config_origin_of(origin, schemes, once) || strcmp(origin, once) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct hf_view text = {(const char *)bytes, n}, rest = {NULL, 0}, line;
    const char *mark = memmem(bytes, n, "\n%%%\n", 5);
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;

    if (mark != NULL) {
        text.n = (size_t)(mark - text.p) + 1;
        rest = (struct hf_view){mark + 5, n - text.n - 4};
    }
    if (hf_config_parse(text, "fuzz", &config, NULL) < 0)
        abort();
    print_twice(config);
    while (hf_view_split(&rest, '\n', &line)) {
        _cleanup_(hf_freep) char *what = hf_view_dup(line);
        if (what != NULL)
            ask(config, what);
    }
    return 0;
}
