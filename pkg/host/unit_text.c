/* SPDX-License-Identifier: Apache-2.0 */
#include "host/unit_text.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"

enum { MAX_WORDS = 16384 };

/* ---- the unit ---------------------------------------------------------------------------------------------------- */

static int add_path(struct hf_buf *out, struct hf_view path, struct hf_err *err)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+@:,=-";

    for (size_t i = 0; i < path.n; i++)
        if (path.p[0] != '/' || path.p[i] == '\0' || strchr(plain, path.p[i]) == NULL)
            return hf_err_set(err, EINVAL, "'%.*s' cannot be named in a unit", (int)HF_MIN(path.n, (size_t)120),
                              path.p);
    return hf_buf_addf(out, " -%.*s", (int)path.n, path.p);
}

int hf_hostlife_unit_text(struct hf_view template_text, const char *paths, struct hf_buf *out, struct hf_err *err)
{
    struct hf_view rest = hf_view_of(paths != NULL ? paths : ""), path;
    int r =
        hf_buf_addf(out, HF_HOSTLIFE_UNIT_MARK ", which writes it again.\n%.*s", (int)template_text.n, template_text.p);

    if (r == 0 && paths != NULL)
        r = hf_buf_add_str(out, "\n# As the pod, it writes below these folders.\n[Service]\nReadWritePaths=\n"
                                "ReadWritePaths=");
    while (r == 0 && hf_view_split(&rest, ':', &path))
        r = path.n > 0 ? add_path(out, path, err) : 0;
    if (r == 0 && paths != NULL)
        r = hf_buf_add_str(out, "\n");
    return r < 0 && r != -EINVAL ? hf_err_sys(err, r, "make the text of the unit") : r;
}

bool hf_hostlife_unit_is_ours(struct hf_view text)
{
    size_t n = strlen(HF_HOSTLIFE_UNIT_MARK);

    return text.n > n && memcmp(text.p, HF_HOSTLIFE_UNIT_MARK, n) == 0;
}

/* ---- the environment --------------------------------------------------------------------------------------------- */

static int add_quoted(struct hf_buf *out, const char *text, const char *special)
{
    int r = hf_buf_add_str(out, "\"");

    for (; r == 0 && *text != '\0'; text++)
        r = hf_buf_addf(out, "%s%c", strchr(special, *text) != NULL ? "\\" : "", *text);
    return r == 0 ? hf_buf_add_str(out, "\"") : r;
}

static int check(const char *name, const char *value, struct hf_err *err)
{
    for (; *value != '\0'; value++)
        if ((unsigned char)*value < ' ' || *value == 0x7f)
            return hf_err_set(err, EINVAL, "%s has a control character, which an environment file cannot hold", name);
    return 0;
}

int hf_hostlife_add_variable(struct hf_buf *out, const char *name, const char *value, struct hf_err *err)
{
    int r = check(name, value, err);

    if (r < 0)
        return r;
    r = hf_buf_addf(out, "%s=", name);
    if (r == 0)
        r = add_quoted(out, value, "\"\\`$");
    if (r == 0)
        r = hf_buf_add_str(out, "\n");
    return r < 0 ? hf_err_sys(err, r, "make the environment file") : 0;
}

int hf_hostlife_add_words(struct hf_buf *out, const char *name, char *const *words, size_t n, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_WORDS);
    int r = hf_buf_add_str(&text, "");

    for (size_t i = 0; r == 0 && i < n; i++) {
        r = hf_buf_add_str(&text, i > 0 ? " " : "");
        if (r == 0)
            r = add_quoted(&text, words[i], "\"\\");
    }
    return r < 0 ? hf_err_sys(err, r, "make the environment file")
                 : hf_hostlife_add_variable(out, name, hf_buf_str(&text), err);
}
