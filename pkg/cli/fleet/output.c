/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/output.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "codec/plain.h"

enum { MAX_TEXT = 64 << 20 };

int hf_output_of(const struct hf_cli_args *args, enum hf_output *ret_output, struct hf_err *err)
{
    static const char *const names[] = {
        [HF_OUTPUT_WIDE] = "wide", [HF_OUTPUT_JSON] = "json", [HF_OUTPUT_YAML] = "yaml", [HF_OUTPUT_NAME] = "name"};
    const char *wanted = hf_cli_value(args, "output", NULL);
    bool json = hf_cli_flag(args, "json");

    *ret_output = json ? HF_OUTPUT_JSON : HF_OUTPUT_TABLE;
    if (wanted == NULL)
        return 0;
    for (size_t i = HF_OUTPUT_WIDE; i < HF_LEN(names); i++)
        if (strcmp(wanted, names[i]) == 0) {
            *ret_output = (enum hf_output)i;
            if (json && i != HF_OUTPUT_JSON)
                return hf_err_set(err, EINVAL, "--json and -o %s exclude each other", wanted);
            return 0;
        }
    return hf_err_set(err, EINVAL, "option '--output' takes wide, json, yaml or name, got '%.40s'", wanted);
}

int hf_output_print(struct hf_cli *cli, enum hf_output output, json_t *json, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);

    if (hf_plain_tree(json) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = output == HF_OUTPUT_YAML ? hf_yaml_format(json, &text) : hf_json_format(json, &text);
    if (r < 0)
        return hf_err_set(err, -r, "the output is too large: narrow it with options");
    (void)fprintf(cli->out, "%s%s", hf_buf_str(&text), output == HF_OUTPUT_YAML ? "" : "\n");
    return 0;
}

const char *hf_output_draw(const struct hf_output_bar *bar, char *text, size_t n)
{
    const struct {
        char sign;
        int64_t count;
    } parts[] = {{'#', bar->updated}, {'>', bar->updating}, {'x', bar->failed}, {'?', bar->parked}};
    int64_t width = (int64_t)n - 3, used = 0;

    text[0] = '[';
    memset(text + 1, '.', (size_t)width);
    for (size_t i = 0; i < HF_LEN(parts); i++) {
        if (parts[i].count <= 0 || bar->total <= 0)
            continue;
        int64_t cells = parts[i].count >= bar->total ? width : parts[i].count * width / bar->total;
        cells = HF_MIN(HF_MAX(cells, (int64_t)1), width - used);
        memset(text + 1 + used, parts[i].sign, (size_t)cells);
        used += cells;
    }
    text[width + 1] = ']';
    text[width + 2] = '\0';
    return text;
}
