import subprocess


def run(name):
    subprocess.run("echo " + name, shell=True)


def calculate(text):
    return eval(text)
