/* memory_plugin.c - a library to be loaded and unloaded, by memory.c. */
int memory_plugin(int n);

int memory_plugin(int n)
{
	return n * 3;
}
