/* Enrols pictures and classifies others: a program for a computer, or for a board by semihosting.
 *
 *     classify MODEL NAME=PICTURE... PICTURE...
 *
 * Pictures are grey PGM files (P5). What it prints of an embedding is its values in hexadecimal, and of
 * a distance the bits of its float, so that two runs can be compared to the bit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sudal.h"

static void check(SudalStatus status, const char *what) {
    if (status != SUDAL_STATUS_OK) {
        printf("%s: %s\n", what, sudal_message(status));
        exit(1);
    }
}

static void *take(size_t len) {
    void *memory = malloc(len ? len : 1);
    if (!memory) {
        printf("no memory for %lu bytes\n", (unsigned long)len);
        exit(1);
    }
    return memory;
}

static uint8_t *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) {
        printf("%s can't be read\n", path);
        exit(1);
    }
    *len = (size_t)ftell(file);
    rewind(file);
    /* A model image starts at a multiple of 16; this memory stays. */
    uint8_t *bytes = take(*len + 15);
    bytes += (16 - (uintptr_t)bytes % 16) % 16;
    if (fread(bytes, 1, *len, file) != *len) {
        printf("%s can't be read\n", path);
        exit(1);
    }
    fclose(file);
    return bytes;
}

static SudalFrame read_picture(const char *path) {
    size_t len;
    const uint8_t *bytes = read_file(path, &len);
    char head[32] = {0};
    unsigned width, height, levels;
    int begin = 0;
    memcpy(head, bytes, len < sizeof head ? len : sizeof head - 1);
    if (sscanf(head, "P5 %u %u %u%n", &width, &height, &levels, &begin) != 3 || levels != 255) {
        printf("%s is no grey PGM\n", path);
        exit(1);
    }
    begin += 1;
    SudalFrame frame = {bytes + begin, len - (size_t)begin, (uint16_t)width, (uint16_t)height,
                        SUDAL_FORMAT_GREY8};
    return frame;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        printf("usage: classify MODEL NAME=PICTURE... PICTURE...\n");
        return 1;
    }
    size_t image_len;
    const uint8_t *image = read_file(argv[1], &image_len);
    size_t memory_len = sudal_memory(image, image_len);
    Sudal *sudal;
    SudalModel model;
    check(sudal_open(image, image_len, take(memory_len), memory_len, &sudal), argv[1]);
    check(sudal_self_test(sudal), "self-test");
    check(sudal_model(sudal, &model), "model");
    printf("model %s %08lx%08lx\n", model.name, (unsigned long)(model.id >> 32),
           (unsigned long)(model.id & 0xffffffff));

    int8_t *embedding = take(model.embedding);
    for (int i = 2; i < argc; i++) {
        char *path = strchr(argv[i], '=');
        const char *name = path ? argv[i] : NULL;
        if (path)
            *path++ = 0;
        else
            path = argv[i];
        SudalFrame frame = read_picture(path);
        check((name ? sudal_embed_shot : sudal_embed)(sudal, &frame, embedding, model.embedding), path);
        printf("%s ", path);
        for (unsigned j = 0; j < model.embedding; j++)
            printf("%02x", (uint8_t)embedding[j]);
        printf("\n");
        if (name) {
            uint8_t id;
            check(sudal_enroll(sudal, name, embedding, model.embedding, &id), name);
            printf("enrolled %s as %u\n", name, id);
            continue;
        }
        for (uint32_t head = SUDAL_HEAD_PROTOTYPE; head <= SUDAL_HEAD_LINEAR; head++) {
            SudalAnswer answer;
            SudalClass class;
            uint32_t bits[2];
            check(sudal_classify(sudal, head, embedding, model.embedding, &answer), path);
            check(sudal_class(sudal, answer.first.id, &class), "class");
            memcpy(&bits[0], &answer.first.value, sizeof bits[0]);
            memcpy(&bits[1], &answer.second.value, sizeof bits[1]);
            printf("%lu %s %08lx %u %08lx\n", (unsigned long)head, class.name, (unsigned long)bits[0],
                   answer.second.id, (unsigned long)bits[1]);
        }
    }
    return 0;
}
