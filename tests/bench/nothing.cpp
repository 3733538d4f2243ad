// A tool that does nothing, at the smallest cost: what is counted is what comes before it.
int main() {}
