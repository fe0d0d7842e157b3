/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one fuzz target over its corpus, tests/fuzz/corpus/<target>/: a fixed crash stays fixed. */
#include <dirent.h>
#include <stdint.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;

    if (file == NULL || fstat(fileno(file), &st) < 0 || !S_ISREG(st.st_mode)) {
        if (file != NULL)
            (void)fclose(file);
        return 0;
    }
    /* Exactly as large as the input, so that ASan sees one byte too many. */
    uint8_t *bytes = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
    size_t n = bytes != NULL ? fread(bytes, 1, (size_t)st.st_size, file) : 0;
    (void)LLVMFuzzerTestOneInput(bytes, n);
    free(bytes);
    (void)fclose(file);
    return 1;
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/');
    char folder[512];
    int inputs = 1;

    (void)argc;
    (void)snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%s", name != NULL ? name + 1 : argv[0]);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char path[1024];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        inputs += replay(path);
    }
    if (dir != NULL)
        (void)closedir(dir);
    (void)printf("corpus: %d inputs\n", inputs);
    return 0;
}
