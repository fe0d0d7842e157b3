/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/plain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/plain.h"

static int plain_string(json_t *string)
{
    const char *text = json_string_value(string);
    size_t n = json_string_length(string);
    char *out = malloc(n + 1);

    if (out == NULL)
        return -ENOMEM;
    size_t used = hf_plain_bytes(text, n, "", out);
    int r = used == n && memcmp(out, text, n) == 0 ? 0 : json_string_setn(string, out, used);
    free(out);
    return r < 0 ? -ENOMEM : 0;
}

static int plain_name(json_t *object, const char *name, json_t *value)
{
    _cleanup_(hf_freep) char *plain = strdup(name);

    if (plain == NULL)
        return -ENOMEM;
    plain[hf_plain_bytes(name, strlen(name), "", plain)] = '\0';
    if (strcmp(plain, name) == 0)
        return 0;
    if (json_object_set(object, plain, value) < 0)
        return -ENOMEM;
    return json_object_del(object, name) < 0 ? -ENOMEM : 0;
}

int hf_plain_tree(json_t *root)
{
    const char *key;
    json_t *value;
    void *next;
    size_t i;
    int r = 0;

    if (json_is_string(root))
        return plain_string(root);
    if (json_is_object(root))
        json_object_foreach_safe(root, next, key, value)
        {
            r = r < 0 ? r : hf_plain_tree(value); /* the parser has bounded the depth */
            r = r < 0 ? r : plain_name(root, key, value);
        }
    if (json_is_array(root))
        json_array_foreach(root, i, value)
            r = r < 0 ? r : hf_plain_tree(value);
    return r;
}
